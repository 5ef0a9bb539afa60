//! DNS mappings: what a person may write, what is saved, and what Konnect keeps.

use super::{texts, trial};
use peer_wizard::providers::kong::{
    DnsMapping,
    dns::{BadDns, Mappings, shown, text},
    gateway::DnsConfig,
};
use proptest::{
    collection::{btree_set, vec},
    prelude::any,
    prop_assert, prop_assert_eq,
    sample::{Index, select},
    strategy::{Just, Strategy, Union},
    string::string_regex,
};
use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

fn parse(text: &str) -> Result<Vec<DnsMapping>, BadDns> {
    text.parse().map(|Mappings(mappings)| mappings)
}

fn config(mappings: &[DnsMapping]) -> Option<serde_json::Value> {
    Mappings(mappings.to_vec()).config()
}

fn same(mappings: &[DnsMapping], there: &[DnsConfig]) -> bool {
    Mappings(mappings.to_vec()).are(there)
}

/// Parts that mappings are made of.
const PIECES: &[&str] = &[
    "10.0.0.4",
    "10.0.0.5",
    "fd00::1",
    "FD00:0:0::0001",
    "::",
    "127.0.0.1",
    "255.255.255.255",
    "=",
    ",",
    ";",
    " ",
    "\n",
    ".",
    "corp",
    "CORP",
    "corp.example",
    "*.",
    "-",
    "xn--bcher-kva",
    "bücher",
    "10",
    "a_b",
    "İ",
    "\u{a0}",
];

/// An address that Kong could reach a server at.
fn server() -> impl Strategy<Value = IpAddr> {
    let v4 = any::<u32>().prop_map(|bits| IpAddr::from(Ipv4Addr::from_bits(bits)));
    let v6 = any::<u128>().prop_map(|bits| IpAddr::from(Ipv6Addr::from_bits(bits)));
    let near = (1..5_u8).prop_map(|last| IpAddr::from([10, 0, 0, last]));
    let good = |ip: &IpAddr| {
        let broadcast = *ip == IpAddr::from([255; 4]);
        !(ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || broadcast)
    };
    Union::new(vec![v4.boxed(), v6.boxed(), near.boxed()]).prop_filter("reachable", good)
}

/// A domain in its canonical form.
fn domain() -> impl Strategy<Value = String> {
    let wide =
        string_regex("([a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?\\.){0,3}[a-z]([a-z0-9-]{0,20}[a-z0-9])?");
    // As long as a name may be: 253 characters.
    let long = string_regex("[a-z]{63}\\.[0-9]{63}\\.[a-z0-9]{63}\\.[a-z]{61}");
    let near = select(&["corp", "corp.example", "a.corp.example", "b"][..]).prop_map(str::to_owned);
    Union::new_weighted(vec![
        (6, wide.expect("a regex").boxed()),
        (1, long.expect("a regex").boxed()),
        (3, near.boxed()),
    ])
}

/// Mappings that go together: each domain is in one.
fn mappings() -> impl Strategy<Value = Vec<DnsMapping>> {
    let servers = || vec(server(), 1..4);
    let groups = (btree_set(domain(), 0..8), vec((servers(), 1..4_usize), 8));
    groups.prop_map(|(domains, groups)| {
        let mut domains: Vec<String> = domains.into_iter().rev().collect();
        let mut mappings = Vec::new();
        for (servers, count) in groups {
            let taken = domains.split_off(domains.len().saturating_sub(count));
            if !taken.is_empty() {
                mappings.push(DnsMapping {
                    servers: once(servers),
                    domains: taken,
                });
            }
        }
        mappings
    })
}

/// The list without repetitions.
fn once<T: PartialEq>(list: Vec<T>) -> Vec<T> {
    list.into_iter().fold(Vec::new(), |mut seen, entry| {
        if !seen.contains(&entry) {
            seen.push(entry);
        }
        seen
    })
}

/// How a person writes one entry of a list.
#[derive(Clone, Debug)]
struct Hand {
    upper: bool,
    dot: bool,
    twice: bool,
    space: &'static str,
}

fn hand() -> impl Strategy<Value = Hand> {
    let space = select(&["", "", " ", "\t", "\n  ", "\u{a0}"][..]);
    (any::<bool>(), any::<bool>(), any::<bool>(), space).prop_map(|(upper, dot, twice, space)| {
        Hand {
            upper,
            dot,
            twice,
            space,
        }
    })
}

impl Hand {
    fn writes(&self, entry: &str, dot: bool) -> String {
        let entry = if self.upper {
            entry.to_ascii_uppercase()
        } else {
            entry.to_owned()
        };
        let dot = if dot && self.dot { "." } else { "" };
        let entry = format!("{0}{entry}{dot}{0}", self.space);
        if self.twice {
            format!("{entry},{entry}")
        } else {
            entry
        }
    }
}

fn by_hand(mappings: &[DnsMapping], hands: &[Hand]) -> String {
    let mut hands = hands.iter().cycle();
    let mut each = |entry: String, dot| {
        hands
            .next()
            .map_or(entry.clone(), |hand| hand.writes(&entry, dot))
    };
    let mut written = Vec::new();
    for DnsMapping { servers, domains } in mappings {
        let servers: Vec<String> = servers
            .iter()
            .map(|ip| match ip {
                // IPv6 in its longest form.
                IpAddr::V6(ip) => ip.segments().map(|part| format!("{part:04x}")).join(":"),
                IpAddr::V4(ip) => ip.to_string(),
            })
            .map(|ip| each(ip, false))
            .collect();
        let domains: Vec<String> = domains.iter().map(|it| each(it.clone(), true)).collect();
        written.push(format!("{}={}", servers.join(","), domains.join(",")));
    }
    format!(";{} ; ", written.join(" ;; "))
}

#[test]
fn the_canonical_text_reads_back_and_so_does_what_a_person_writes() {
    let inputs = (mappings(), vec(hand(), 1..9));
    trial::holds(
        "lists of DNS mappings",
        1200,
        &inputs,
        |(mappings, hands)| {
            let canonical = text(&mappings);
            prop_assert_eq!(parse(&canonical), Ok(mappings.clone()));
            let written = by_hand(&mappings, &hands);
            prop_assert_eq!(parse(&written), Ok(mappings.clone()), "{}", written);
            // What Konnect is sent reads as what it would show.
            let sent = config(&mappings);
            prop_assert_eq!(sent.is_none(), mappings.is_empty());
            let kept: Vec<DnsConfig> = sent.map_or(Vec::new(), |it| {
                serde_json::from_value(it).expect("our own shape")
            });
            prop_assert_eq!(shown(&kept).join(";"), canonical);
            prop_assert!(same(&mappings, &kept));
            Ok(())
        },
    );
}

/// Each pair of a domain and a server as a mapping of its own, in the order of the keys and sometimes as Konnect might
/// write it.
fn apart(mappings: &[DnsMapping], keys: &[(u32, bool)]) -> Vec<DnsConfig> {
    let mut keys = keys.iter().cycle();
    let mut pairs = BTreeMap::new();
    for DnsMapping { servers, domains } in mappings {
        for (domain, server) in domains
            .iter()
            .flat_map(|domain| servers.iter().map(move |ip| (domain, ip)))
        {
            let (key, loud) = keys.next().copied().unwrap_or_default();
            let (domain, server) = if loud {
                (
                    domain.to_uppercase() + ".",
                    server.to_string().to_uppercase(),
                )
            } else {
                (domain.clone(), server.to_string())
            };
            let pair = DnsConfig {
                remote_dns_server_ip_addresses: vec![server],
                domain_proxy_list: vec![domain],
            };
            pairs.insert((key, pairs.len()), pair);
        }
    }
    pairs.into_values().collect()
}

#[test]
fn mappings_are_the_same_however_they_are_grouped_and_ordered_and_not_with_one_more_or_less() {
    let inputs = (mappings(), vec(any::<(u32, bool)>(), 1..24), any::<Index>());
    trial::holds(
        "regrouped DNS mappings",
        1200,
        &inputs,
        |(mappings, keys, at)| {
            let mut there = apart(&mappings, &keys);
            prop_assert!(same(&mappings, &there), "{:?}", there);
            if !there.is_empty() {
                let less = there.remove(at.index(there.len()));
                prop_assert!(!same(&mappings, &there), "without {less:?}");
                there.push(less.clone());
                prop_assert!(same(&mappings, &there));
                let new = DnsConfig {
                    domain_proxy_list: vec!["one-more.test".into()],
                    ..less
                };
                there.push(new);
                prop_assert!(!same(&mappings, &there));
            }
            Ok(())
        },
    );
}

#[test]
fn either_of_two_lists_may_be_the_one_that_is_there() {
    let near = || {
        let servers = vec(
            (1..3_u8).prop_map(|last| IpAddr::from([10, 0, 0, last])),
            1..3,
        );
        let mapping =
            (servers, any::<bool>()).prop_map(|(servers, grouped)| (once(servers), grouped));
        let domains = Union::new(vec![Just(vec!["a"]).boxed(), Just(vec!["a", "b"]).boxed()]);
        (domains, vec(mapping, 2)).prop_map(|(domains, groups)| {
            let one = |servers: &Vec<IpAddr>, domains: &[&str]| DnsMapping {
                servers: servers.clone(),
                domains: domains.iter().map(|it| (*it).to_owned()).collect(),
            };
            if groups[0].1 {
                vec![one(&groups[0].0, &domains)]
            } else {
                domains
                    .iter()
                    .zip(&groups)
                    .map(|(domain, group)| one(&group.0, &[domain]))
                    .collect()
            }
        })
    };
    trial::holds(
        "pairs of DNS mappings",
        1500,
        &(near(), near()),
        |(one, other)| {
            let kept = |it: &[DnsMapping]| apart(it, &[(0, false)]);
            let alike = same(&one, &kept(&other));
            prop_assert_eq!(alike, same(&other, &kept(&one)));
            let servers = |it: &[DnsMapping]| -> BTreeMap<String, Vec<IpAddr>> {
                let sorted = |mapping: &DnsMapping| {
                    let mut servers = mapping.servers.clone();
                    servers.sort();
                    servers
                };
                it.iter()
                    .flat_map(|it| {
                        it.domains
                            .iter()
                            .map(move |domain| (domain.clone(), sorted(it)))
                    })
                    .collect()
            };
            prop_assert_eq!(alike, servers(&one) == servers(&other));
            Ok(())
        },
    );
}

#[test]
fn any_text_is_read_as_mappings_or_named_in_the_error() {
    let any = Union::new(vec![texts::text().boxed(), texts::text_of(PIECES).boxed()]);
    trial::holds("texts read as DNS mappings", 5000, &any, |input| {
        match parse(&input) {
            Ok(mappings) => {
                prop_assert_eq!(parse(&text(&mappings)), Ok(mappings.clone()));
                // A domain in two mappings is refused, so each is there once.
                let domains: Vec<&String> = mappings.iter().flat_map(|it| &it.domains).collect();
                prop_assert_eq!(once(domains.clone()), domains);
            }
            Err(error) => {
                let error = error.to_string();
                let named = |one: &str| {
                    let canonical = one.parse().map(|it: DnsMapping| it.to_string());
                    error.starts_with(&format!("`{one}` is no DNS mapping: "))
                        || canonical.is_ok_and(|it| {
                            error.starts_with(&format!("`{it}` is no DNS mapping: "))
                        })
                };
                prop_assert!(input.split(';').map(str::trim).any(named), "{error}");
            }
        }
        if let Err(error) = input.parse::<DnsMapping>() {
            prop_assert!(error.to_string().contains(&format!("`{input}`")), "{error}");
        }
        Ok(())
    });
}

/// `K` is the sign for kelvin, and a letter k in lower case.
#[test]
fn a_domain_with_a_sign_that_only_looks_like_ascii_is_refused() {
    assert!(parse("10.0.0.4=\u{212a}orp.example").is_err());
}
