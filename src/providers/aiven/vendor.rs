//! Aiven's API as a service among others; Timescale's is the same.

use crate::http::{Service, Vendor};

/// Aiven, and Timescale.
pub const VENDOR: Vendor = Vendor {
    name: "Aiven",
    address: "https://api.aiven.io",
    variable: "AIVEN_WEB_URL",
    suffix: "/v1",
    scheme: "aivenv1",
    bad_sign_in: &["authentication_failed"],
    hints: &[
        (
            "authentication_failed",
            "the token is wrong or expired; make a new one in the console and put it into AIVEN_AUTH_TOKEN",
        ),
        (
            "permission_denied",
            "the token's user needs the operator, developer or admin role in the project, or the networking permission in the organization",
        ),
        (
            "user_role_not_allowed_to_perform_operation",
            "the token's user needs a role with networking permission",
        ),
        (
            "client_ip",
            "the account allows only some addresses; run this from one of them",
        ),
        (
            "feature_not_enabled",
            "organization VPCs are not enabled for this organization; ask Aiven",
        ),
    ],
    no_token: "set AIVEN_AUTH_TOKEN, or run `avn user login`; tokens are made in the console under your user's profile",
    bad_token: "the token is wrong or expired; make a new one in the console and put it into AIVEN_AUTH_TOKEN",
    forbidden: None,
};

/// Who is asked.
pub const SERVICE: Service = Service::Of(&VENDOR);
