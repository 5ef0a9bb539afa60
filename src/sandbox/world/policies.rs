//! What an organization forbids on its applications.

/// The restrictions in force; none by default, as in a new tenant:
/// <https://learn.microsoft.com/graph/api/resources/applicationauthenticationmethodpolicy>.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Policies {
    /// `passwordAddition`: no passwords.
    pub no_passwords: bool,
    /// `customPasswordAddition`: no passwords that the client chose.
    pub no_custom_passwords: bool,
    /// `passwordLifetime`: the longest life of a password, in seconds.
    pub password_life: Option<f64>,
    /// `asymmetricKeyLifetime`: the longest life of a certificate, in seconds.
    pub certificate_life: Option<f64>,
    /// `trustedCertificateAuthority`: no certificates but those of the organization's own authority, which here signs none.
    pub only_trusted_certificates: bool,
    /// The only sign-in audiences that there may be, if some are not allowed.
    pub audiences: Option<Vec<String>>,
}
