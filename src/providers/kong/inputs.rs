//! What Kong has to be told, and Konnect's token.

use super::{
    api,
    dns::{self, DnsMapping},
    gateway::gateway_name,
    keys,
    vendor::VENDOR,
};
use crate::{
    azure::keys::{RUN, USER_VNET_NAME},
    error::{Error, Kind},
    http::ApiError,
    provider::{Asked, Derived, Flag, Input, List, Listed, Offer, TokenKind, text},
};

/// A network of Dedicated Cloud Gateways.
pub const NETWORK: Input = Input {
    flag: &Flag {
        id: "network",
        variable: Some("KONNECT_NETWORK_ID"),
        form: "NAME|ID",
        help: "The Kong Dedicated Cloud Gateway network",
        parse: text,
        list: None,
    },
    answer: "NETWORK",
    fact: keys::KONG_NETWORK_ID.named(),
    label: "Network",
    identifies: true,
    default: None,
    is_answer: |text| uuid::Uuid::parse_str(text).is_ok(),
    detected: None,
    needs: None,
    choices: Some(|asked| Box::pin(networks(asked))),
    sample: Some("konnect_network"),
};

/// Which names Kong asks which servers for.
pub const DNS: Input = Input {
    flag: &Flag {
        id: "dns",
        variable: None,
        form: "IP[,IP…]=DOMAIN[,DOMAIN…]",
        help: "Names that Kong looks up at your DNS servers; repeat it for each group",
        parse: mapping,
        list: Some(List {
            join: mappings,
            example: "a mapping looks like --dns 10.0.0.4,10.0.0.5=corp.example,lab.example",
            question: "DNS servers of yours that Kong is to ask",
            none: "Kong looks up no names at your servers",
            add: (
                "Add a mapping",
                "servers and the domains that they answer for",
            ),
        }),
    },
    answer: "DNS",
    fact: keys::KONG_DNS.named(),
    label: "DNS",
    // No mapping is an answer too.
    default: Some(""),
    is_answer: |_| true,
    choices: None,
    sample: None,
    ..NETWORK
};

/// The gateway's name.
pub const GATEWAY_NAME: Derived = Derived {
    fact: keys::KONG_GATEWAY_NAME.named(),
    answer: "PEERING_NAME",
    label: "Gateway",
    help: "for Kong, of the gateway at Konnect",
    from: |facts| {
        let vnet = facts.get(USER_VNET_NAME);
        let run = facts.get(RUN);
        gateway_name(
            vnet.as_ref().map_or("vnet", AsRef::as_ref),
            run.as_ref().map_or("", AsRef::as_ref),
        )
    },
};

/// Konnect's token.
pub const TOKEN: TokenKind = TokenKind {
    services: "Konnect",
    words: "Konnect token",
    variables: &["KONNECT_TOKEN", "KONNECT_SPAT"],
    file: None,
    vendor: &VENDOR,
    roots: None,
    sample: "konnect_token",
    probe: None,
};

fn mapping(text: &str) -> Result<String, String> {
    let mapping: DnsMapping = text
        .parse()
        .map_err(|error: dns::BadDns| error.to_string())?;
    Ok(mapping.to_string())
}

fn mappings(texts: &[String]) -> Result<String, String> {
    let all: Result<Vec<DnsMapping>, dns::BadDns> = texts.iter().map(|it| it.parse()).collect();
    let all = all.and_then(|all| dns::check(&all).map(|()| dns::text(&all)));
    all.map_err(|error| error.to_string())
}

/// The network of the given name, or those that are ready.
async fn networks(asked: Asked<'_>) -> Result<Listed, ApiError> {
    let mut all = api::networks_on_azure(asked.clouds).await?;
    let names: Vec<&str> = all.iter().map(|it| it.name.as_str()).collect();
    let has = match names.as_slice() {
        [] => "there is no network on Azure that the token may see".to_owned(),
        names => format!("on Azure there are: {}", names.join(", ")),
    };
    if let Some(name) = asked.given {
        let found: Vec<_> = all.iter().filter(|it| it.name == name).collect();
        return Ok(match found.as_slice() {
            [only] => Listed::Is(only.id.clone()),
            [] => Listed::Nothing(
                Error::usage(format!("there is no Kong network `{name}`")).hint(has),
            ),
            _ => Listed::Nothing(
                Error::usage(format!("more than one Kong network is called `{name}`"))
                    .hint("give its ID"),
            ),
        });
    }
    all.retain(api::Network::is_ready);
    if all.is_empty() {
        let error = Error::new(
            Kind::Refused,
            "there is no Kong network on Azure that is ready",
        );
        let error = error.hint(has).hint("a new network takes 30 to 40 minutes");
        return Ok(Listed::Nothing(error));
    }
    let offer = |it: api::Network| Offer {
        note: format!("{}  {}", it.region, it.cidr_block),
        value: it.id,
        label: it.name,
    };
    Ok(Listed::Choices(all.into_iter().map(offer).collect()))
}
