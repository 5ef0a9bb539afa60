//! Konnect's API as a service among others.

use crate::http::{Service, Vendor};

/// Konnect.
pub const VENDOR: Vendor = Vendor {
    name: "Konnect",
    address: "https://global.api.konghq.com",
    variable: "KONNECT_SERVER_URL",
    suffix: "/v2",
    scheme: "Bearer",
    bad_sign_in: &[],
    hints: &[
        (
            "Quota Exceeded",
            "the quota of your Konnect organization is used up; ask Kong",
        ),
        (
            "Forbidden",
            "the token's user needs the Network Admin role in Konnect",
        ),
    ],
    no_token: "set KONNECT_TOKEN; tokens are made at https://cloud.konghq.com/global/account/tokens",
    bad_token: "the token is wrong or expired; put a new one into KONNECT_TOKEN",
    forbidden: Some("the token's user needs the Network Admin role in Konnect"),
};

/// Who is asked.
pub const SERVICE: Service = Service::Of(&VENDOR);
