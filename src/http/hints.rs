//! What a service's error means and what to do about it: a table.

use super::{
    call::Service,
    fault::{ApiError, Cause},
    limits::{BAD_PATH, NO_ANSWER, PAGES_IN_A_CIRCLE, TOO_LARGE, TOO_MANY_PAGES},
};

const POLICY: &str = "RequestDisallowedByPolicy";
const ROLE_CHANGE: &str = "to define a custom role takes Owner or User Access Administrator on the subscription, and to change one takes that on every subscription where it can be assigned, none of which may be disabled; ask its owner to add yours, or have one of your own under another name: `--role-name`";
const LIFETIME: &str = "your tenant caps the life of passwords below what this run asks for: two hours, or an hour more than `--timeout`; ask for less, try `--credential certificate`, or have an administrator exempt this one application";
const OVERLAP: &str = "the address ranges overlap; peered networks must not share addresses";

/// Service, code, words of the message where one code has several meanings, and what to do. The first that fits counts.
const HINTS: &[(Service, &str, &str, &str)] = &[
    (
        Service::Graph,
        "Authorization_RequestDenied",
        "",
        "this needs the Application Administrator (or Cloud Application Administrator) role in Entra; ask an administrator, then resume",
    ),
    (
        Service::Graph,
        "NoBackingApplicationObject",
        "",
        "no application has this id; check `--provider-application-id`",
    ),
    (
        Service::Graph,
        "CredentialTypeNotAllowedAsPerAppPolicy",
        "",
        "your tenant forbids passwords on applications; undo this run and connect with `--credential certificate`, or without `--credential`; or an administrator exempts this one application: https://learn.microsoft.com/entra/identity/enterprise-apps/configure-app-management-policies",
    ),
    (Service::Graph, "InvalidKeyEndDate", "", LIFETIME),
    (
        Service::Graph,
        "CredentialInvalidLifetimeAsPerAppPolicy",
        "",
        LIFETIME,
    ),
    (
        Service::Graph,
        "SignInAudienceNotAllowedAsPerAppPolicy",
        "",
        "your tenant forbids new applications that sign in to other tenants, which a peering takes; name one that may with `--application-id`, or an administrator exempts this one from the policy: https://learn.microsoft.com/entra/identity/enterprise-apps/configure-app-management-policies",
    ),
    (
        Service::Arm,
        "AuthorizationFailed",
        "ABAC condition",
        "your right to assign roles has a condition (ABAC) that does not allow this role or this principal; ask whoever gave it to allow them, or name a role that you may assign with `--role-name`",
    ),
    (
        Service::Arm,
        "AuthorizationFailed",
        "Microsoft.Authorization/roleDefinitions/write",
        ROLE_CHANGE,
    ),
    (
        Service::Arm,
        "AuthorizationFailed",
        "",
        "granting roles needs Owner, User Access Administrator or Role Based Access Control Administrator on the VNet; a role granted a moment ago can take ten minutes",
    ),
    (
        Service::Arm,
        "LinkedAuthorizationFailed",
        "Microsoft.Authorization/roleDefinitions/write",
        ROLE_CHANGE,
    ),
    (
        Service::Arm,
        "LinkedAuthorizationFailed",
        "",
        "the application has no right on the other network yet, or the other network is not the one meant",
    ),
    (
        Service::Arm,
        "RoleDefinitionWithSameNameExists",
        "",
        "a role of this name exists in your tenant where you cannot see it; choose another with `--role-name`, or let its owner add your subscription to its assignable scopes",
    ),
    (
        Service::Arm,
        "RoleDefinitionLimitExceeded",
        "",
        "the tenant is full of custom roles; delete one, or name one to use with `--role-name`",
    ),
    (
        Service::Arm,
        POLICY,
        "",
        "an Azure Policy of your company forbids this; its name is in the message",
    ),
    (
        Service::Arm,
        "ScopeLocked",
        "",
        "a lock on the VNet or its resource group forbids this; remove the lock, then resume",
    ),
    (Service::Arm, "VnetAddressSpacesOverlap", "", OVERLAP),
    (
        Service::Arm,
        "ReadOnlyDisabledSubscription",
        "",
        "the subscription is disabled; its owner has to enable it again before anything in it can be changed",
    ),
    (
        Service::Arm,
        "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
        "",
        OVERLAP,
    ),
    (
        Service::Arm,
        "RemotePeeringIsDisconnected",
        "",
        "the other side holds a dead half of an earlier peering; delete the peering at the provider, then begin anew",
    ),
    (
        Service::Arm,
        "AnotherPeeringAlreadyReferencesRemoteVnet",
        "",
        "the VNet has another peering to the same network; delete it first",
    ),
    (
        Service::Arm,
        "InvalidResourceName",
        "",
        "choose another name with `--peering-name`",
    ),
    (
        Service::Arm,
        "SubscriptionNotFound",
        "",
        "check `--subscription`, and that your sign-in may see it; only its own tenant is seen, another is named with `--tenant`",
    ),
    (
        Service::Arm,
        "ResourceGroupNotFound",
        "",
        "check `--resource-group`, and that your sign-in may see it",
    ),
    (
        Service::Arm,
        "ResourceNotFound",
        "",
        "check `--vnet`, and that your sign-in may see it",
    ),
    (
        Service::Arm,
        "MissingSubscriptionRegistration",
        "",
        "register the provider once: `az provider register --namespace Microsoft.Network`",
    ),
    (
        Service::Arm,
        "InvalidAuthenticationTokenTenant",
        "",
        "you are signed in to another tenant than the subscription's; name it with `--tenant`, or `az login --tenant …`",
    ),
];

/// Codes of Entra, which arrive from several services.
const ENTRA: &[(&str, &str)] = &[
    (
        "700016",
        "the application has no principal in that tenant yet; the provider creates it while it builds the peering",
    ),
    (
        "7000229",
        "the application has no principal in that tenant yet",
    ),
    (
        "7000215",
        "the client secret is wrong; check AZURE_CLIENT_SECRET",
    ),
    (
        "700027",
        "Entra does not know the application's certificate, or not any more; going on makes another",
    ),
    (
        "700024",
        "this machine's clock is not Entra's; set it, then go on",
    ),
    ("7000222", "the client secret has expired; make a new one"),
    ("90002", "there is no such tenant; check `--tenant`"),
    (
        "50076",
        "your company asks for multi-factor authentication: `az login --tenant …` again",
    ),
    (
        "50079",
        "your company asks for multi-factor authentication: `az login --tenant …` again",
    ),
    (
        "53003",
        "a Conditional Access policy blocks this sign-in; ask your administrator",
    ),
    (
        "530003",
        "a Conditional Access policy asks for a managed device; ask your administrator",
    ),
    (
        "65001",
        "consent is missing; an administrator has to grant it",
    ),
    ("700082", "the sign-in has expired: `az login` again"),
    ("50173", "the sign-in was revoked: `az login` again"),
];

/// Codes of this program's own for what it does not put up with, whichever service it is.
const OWN: &[(&str, &str)] = &[
    (
        TOO_LARGE,
        "no answer of this service is that long; is a proxy in between, or an address overridden in the environment?",
    ),
    (
        TOO_MANY_PAGES,
        "no list of this service is that long; is a proxy in between, or an address overridden in the environment?",
    ),
    (
        PAGES_IN_A_CIRCLE,
        "the service's list never ends; try again in a while, and tell the service's support if it goes on",
    ),
    (
        NO_ANSWER,
        "the request may have been carried out all the same; going on looks first. If it happens again, check the network and HTTPS_PROXY",
    ),
    (
        BAD_PATH,
        "an id or a name is not what it should be: look at the ids that were given, and those of the run's file, for one that is empty or only dots",
    ),
];

/// What to do about the error, most telling first.
#[must_use]
pub fn of(error: &ApiError) -> Vec<String> {
    if !error.advice.is_empty() {
        return error.advice.to_vec();
    }
    let mut hints: Vec<String> = Vec::new();
    let text = format!("{} {}", error.code.as_deref().unwrap_or(""), error.message);
    if error.cause == Cause::SignIn || error.service == Service::Entra {
        let number = |code: &str| {
            text.match_indices(code).any(|(at, _)| {
                let after = text[at + code.len()..].chars().next();
                let before = text[..at].chars().next_back();
                !after.is_some_and(|c| c.is_ascii_digit())
                    && !before.is_some_and(|c| c.is_ascii_digit())
            })
        };
        hints.extend(
            ENTRA
                .iter()
                .filter(|(code, _)| number(code))
                .map(|(_, hint)| (*hint).to_owned()),
        );
    }
    if let Service::Of(vendor) = error.service {
        let fitting = vendor.hints.iter().filter(|(part, _)| text.contains(part));
        hints.extend(fitting.map(|(_, hint)| (*hint).to_owned()));
    }
    let own = OWN.iter().filter(|(code, _)| error.is(code));
    hints.extend(own.map(|(_, hint)| (*hint).to_owned()));
    let mut met: Vec<&str> = Vec::new();
    for (service, code, words, hint) in HINTS {
        let fits = *service == error.service && says_code(&text, code) && text.contains(words);
        // What a challenge calls a policy is met by another sign-in.
        let challenged = error.challenge.is_some() && *code == POLICY;
        if fits && !challenged && !met.contains(code) {
            met.push(code);
            hints.push((*hint).to_owned());
        }
    }
    if hints.is_empty() {
        let general = match (error.cause, error.service, error.status) {
            (Cause::Unreachable, ..) if says(error, "certificate") => {
                "the server's certificate is not trusted; behind a company proxy, give its root with `--ca-cert FILE`"
            }
            (Cause::Unreachable, ..) => {
                "check the network, and HTTPS_PROXY if you are behind a proxy"
            }
            (Cause::SignIn, Service::Of(vendor), _) => vendor.no_token,
            (Cause::SignIn, ..) => {
                "sign in with `az login`, or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET"
            }
            (_, Service::Of(vendor), Some(401)) => vendor.bad_token,
            (_, _, Some(401)) => "sign in again: `az login`",
            (_, Service::Of(vendor), Some(403)) => match vendor.forbidden {
                Some(hint) => hint,
                None => return hints,
            },
            _ => return hints,
        };
        hints.push(general.into());
    }
    hints
}

/// Whether the text has the code as a whole word: one code may be a part of another.
fn says_code(text: &str, code: &str) -> bool {
    let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.any(|word| word == code)
}

fn says(error: &ApiError, word: &str) -> bool {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = source {
        if error.to_string().to_ascii_lowercase().contains(word) {
            return true;
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_code_has_its_hint_and_an_unknown_one_none() {
        let mut error = ApiError::new(Service::Arm, "PUT /x", Cause::Answered, "");
        error.code = Some("ScopeLocked".into());
        assert!(of(&error)[0].contains("lock"));
        error.code = Some("SomethingNew".into());
        assert!(of(&error).is_empty());
    }

    fn arm(code: &str, message: &str) -> Vec<String> {
        let mut error = ApiError::new(Service::Arm, "PUT /x", Cause::Answered, message);
        error.code = Some(code.into());
        of(&error)
    }

    #[test]
    fn codes_match_whole() {
        let linked = arm("LinkedAuthorizationFailed", "no right on the linked scope");
        assert_eq!(linked.len(), 1, "{linked:?}");
        assert!(linked[0].contains("other network"));
        assert!(arm("ParentResourceNotFound", "").is_empty());
        assert!(arm("VnetAddressSpacesOverlap", "")[0].contains("overlap"));
        assert!(arm("X", "it failed (code: ScopeLocked)")[0].contains("lock"));
    }

    #[test]
    fn a_role_that_may_not_be_changed_or_assigned_has_a_way_out() {
        let linked = arm(
            "LinkedAuthorizationFailed",
            "The client 'x' has permission to perform action 'Microsoft.Authorization/roleDefinitions/write' on scope '/subscriptions/a'; however, it does not have permission to perform action 'Microsoft.Authorization/roleDefinitions/write' on the linked scope(s) '/subscriptions/b'",
        );
        let condition = arm(
            "AuthorizationFailed",
            "The client 'x' does not have authorization or an ABAC condition not fulfilled to perform action 'Microsoft.Authorization/roleAssignments/write'",
        );
        for hints in [linked, condition] {
            assert_eq!(hints.len(), 1, "{hints:?}");
            assert!(hints[0].contains("`--role-name`"), "{hints:?}");
        }
    }

    #[test]
    fn a_policy_is_one_unless_the_answer_wants_claims() {
        let mut error = ApiError::new(Service::Arm, "PUT /x", Cause::Answered, "");
        error.code = Some("RequestDisallowedByPolicy".into());
        error.status = Some(403);
        assert!(of(&error)[0].contains("Azure Policy"));
        error.status = Some(401);
        error.challenge = Some("e30=".into());
        assert_eq!(of(&error), ["sign in again: `az login`"]);
        error.advice = Box::new(["az logout".into()]);
        assert_eq!(of(&error), ["az logout"]);
    }

    #[test]
    fn entra_numbers_match_whole() {
        let error = ApiError::new(Service::Entra, "", Cause::SignIn, "AADSTS7000222: expired");
        assert_eq!(of(&error).len(), 1);
        assert!(of(&error)[0].contains("expired"));
    }

    #[test]
    fn an_untrusted_certificate_leads_to_the_flag() {
        let error = ApiError::new(
            Service::Arm,
            "",
            Cause::Unreachable,
            "invalid peer certificate",
        );
        assert!(of(&error)[0].contains("--ca-cert"));
    }
}
