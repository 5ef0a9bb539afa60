//! A provider's API, as a value: where it is, how its token is sent, and what its errors mean. Each lies in its provider's folder.

/// A provider's API.
#[derive(Debug)]
pub struct Vendor {
    /// What people call it, such as in `… answered 503`.
    pub name: &'static str,
    /// Where it is.
    pub address: &'static str,
    /// The environment variable that says where else.
    pub variable: &'static str,
    /// The end of the address that its requests' paths begin with, and that is left out of it, such as `/v1`.
    pub suffix: &'static str,
    /// The scheme under which the token is sent, such as `Bearer`.
    pub scheme: &'static str,
    /// Codes that say that the sign-in is bad although the status does not.
    pub bad_sign_in: &'static [&'static str],
    /// A part of the code or message, and what to do.
    pub hints: &'static [(&'static str, &'static str)],
    /// What to do when there is no token.
    pub no_token: &'static str,
    /// What to do when the token is refused (401).
    pub bad_token: &'static str,
    /// What to do when it may not (403) and no hint says more.
    pub forbidden: Option<&'static str>,
}

impl PartialEq for Vendor {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Vendor {}
