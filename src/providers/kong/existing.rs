//! What a gateway that is there already means for one that is wanted.

use super::{
    dns::{self, Mappings},
    gateway::{TransitGateway as Gateway, run_of},
    keys::{KONG_DNS, KONG_REPLACED_GATEWAY_ID},
};
use crate::{engine::Refusal, fact::Facts, http::ApiError, shell::single};

/// The mappings that were asked for: none, unless there are some.
#[must_use]
pub fn asked(f: &Facts) -> Mappings {
    f.get(KONG_DNS).unwrap_or_default()
}

/// Who deletes a gateway, and how: the run that made it, if its name tells one.
#[must_use]
pub fn how_to_delete(gateway: &Gateway) -> String {
    let console = format!(
        "delete the VNet peering `{}` of the network at https://cloud.konghq.com/",
        gateway.name
    );
    match run_of(&gateway.name) {
        Some(run) => format!(
            "`peer-wizard undo {run}` deletes it if that run is on this machine; else {console}"
        ),
        None => console,
    }
}

/// Whether the person agreed to have this gateway deleted.
#[must_use]
pub fn replaced(f: &Facts, gateway: &Gateway) -> bool {
    f.get(KONG_REPLACED_GATEWAY_ID)
        .is_ok_and(|id| id.as_ref() == gateway.id)
}

/// What the person is asked before that.
#[must_use]
pub fn replace_question(gateway: &Gateway) -> String {
    let has = dns::shown(gateway.dns());
    let has = if has.is_empty() {
        "no DNS mapping".to_owned()
    } else {
        format!("the DNS mapping {}", has.join(" "))
    };
    format!(
        "Konnect has the gateway `{}` for this VNet, with {has}. A gateway on Azure cannot be changed: delete it and make another? Its traffic drops for some 30 to 40 minutes, and undo does not bring it back",
        gateway.name
    )
}

/// The refusal of a gateway whose mappings are not those asked for.
#[must_use]
pub fn other_mapping(gateway: &Gateway) -> Refusal {
    let has = dns::shown(gateway.dns());
    let refusal = Refusal::new(format!(
        "Konnect has the gateway `{}` for this VNet already, with {}, and a gateway on Azure cannot be changed",
        gateway.name,
        if has.is_empty() {
            "no DNS mapping".to_owned()
        } else {
            format!("the DNS mapping {}", has.join(" "))
        },
    ));
    let flags: Vec<String> = has
        .iter()
        .map(|mapping| format!("--dns {}", single(mapping)))
        .collect();
    let refusal = if flags.is_empty() {
        refusal.hint("to use it as it is, leave out `--dns`")
    } else {
        refusal.hint(format!("to use it as it is: {}", flags.join(" ")))
    };
    refusal.hint(format!(
        "to change the mapping, the gateway must be deleted and made anew, and its traffic drops until the new one is ready, some 30 to 40 minutes: {}, then begin anew",
        how_to_delete(gateway)
    ))
}

/// Whether Konnect says that there is such a gateway already; it has done so with 409, and with 400 about the name.
#[must_use]
pub fn is_taken(error: &ApiError) -> bool {
    let unique = |text: &str| {
        let text = text.to_lowercase();
        ["already", "unique", "exists", "duplicate"]
            .iter()
            .any(|word| text.contains(word))
    };
    match error.status {
        Some(409) => true,
        Some(400) => {
            unique(&error.message)
                || error
                    .fields
                    .iter()
                    .any(|(field, reason)| field.contains("name") && unique(reason))
        }
        _ => false,
    }
}

/// The refusal of a name that another VNet's gateway has.
#[must_use]
pub fn name_taken(other: &Gateway) -> Refusal {
    Refusal::new(format!(
        "the network has a gateway named `{}` already, for another network of yours",
        other.name
    ))
    .hint("choose another name with `--peering-name`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::kong::SERVICE;

    fn gateway(name: &str) -> Gateway {
        Gateway {
            name: name.into(),
            ..Gateway::default()
        }
    }

    #[test]
    fn another_mapping_is_refused_with_the_ways_out() {
        let mut found = gateway("hub-kong-9k2f");
        found.dns_config = serde_json::from_str(
            r#"[{"remote_dns_server_ip_addresses":["10.0.0.4"],"domain_proxy_list":["corp.example"]}]"#,
        )
        .expect("the shape of Konnect");
        let refusal = other_mapping(&found);
        assert!(
            refusal.message.contains("cannot be changed"),
            "{}",
            refusal.message
        );
        assert!(
            refusal.hints[0].contains("--dns 10.0.0.4=corp.example"),
            "{}",
            refusal.hints[0]
        );
        assert!(
            refusal.hints[1].contains("traffic drops"),
            "{}",
            refusal.hints[1]
        );
        assert!(
            refusal.hints[1].contains("peer-wizard undo kong-9k2f"),
            "{}",
            refusal.hints[1]
        );
    }

    #[test]
    fn a_taken_name_is_told_from_a_mistake() {
        let read =
            |status, body: &str| ApiError::read(SERVICE, String::new(), status, body.as_bytes());
        assert!(is_taken(&read(409, "{}")));
        assert!(is_taken(&read(
            400,
            r#"{"title":"Bad Request","invalid_parameters":[{"field":"name","reason":"must be unique"}]}"#
        )));
        assert!(!is_taken(&read(
            400,
            r#"{"title":"Bad Request","invalid_parameters":[{"field":"name","rule":"max_length","reason":"too long"}]}"#
        )));
    }
}
