//! Which names Kong asks which servers for: `IP[,IP…]=DOMAIN[,DOMAIN…]`, one server or several for one domain or several.

use super::gateway::DnsConfig;
use crate::fact::Fact;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::IpAddr,
    str::FromStr,
};

/// What stands between several mappings in one text; neither addresses nor domains hold it.
const SEPARATOR: &str = ";";

/// Some servers and the domains that they are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsMapping {
    /// The servers, in the order given.
    pub servers: Vec<IpAddr>,
    /// The domains, in lower case and without a dot at the end.
    pub domains: Vec<String>,
}

/// All mappings that a gateway is to have; there may be none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mappings(pub Vec<DnsMapping>);

impl Fact for Mappings {
    fn read(text: &str) -> Option<Self> {
        text.parse().ok()
    }
    fn write(&self) -> String {
        text(&self.0)
    }
}

/// A text is no DNS mapping, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{input}` is no DNS mapping: {problem}; write IP[,IP…]=DOMAIN[,DOMAIN…], such as 10.0.0.4,10.0.0.5=corp.example"
)]
pub struct BadDns {
    input: String,
    problem: String,
}

impl FromStr for DnsMapping {
    type Err = BadDns;

    fn from_str(text: &str) -> Result<Self, BadDns> {
        let bad = |problem: String| BadDns {
            input: text.into(),
            problem,
        };
        let (left, right) = text
            .split_once('=')
            .ok_or_else(|| bad("it has no `=`".into()))?;
        Ok(Self {
            servers: each(left, server).map_err(bad)?,
            domains: each(right, domain).map_err(bad)?,
        })
    }
}

impl fmt::Display for DnsMapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers: Vec<String> = self.servers.iter().map(IpAddr::to_string).collect();
        write!(f, "{}={}", servers.join(","), self.domains.join(","))
    }
}

/// Reads a list, each entry once.
fn each<T: PartialEq>(
    list: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let mut entries = Vec::new();
    for text in list.split(',') {
        let entry = read(text.trim())?;
        if !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// Reads a DNS server's address.
///
/// # Errors
/// Why the text is none, as a part of a sentence.
pub fn server(text: &str) -> Result<IpAddr, String> {
    if text.is_empty() {
        return Err("an IP address is missing before the `=`".into());
    }
    let ip: IpAddr = text
        .parse()
        .map_err(|_| format!("`{text}` is no IP address"))?;
    let broadcast = matches!(ip, IpAddr::V4(ip) if ip.is_broadcast());
    if ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || broadcast {
        return Err(format!(
            "`{text}` is no address that Kong could reach a server at"
        ));
    }
    Ok(ip)
}

/// Reads a domain name: labels of letters, digits and hyphens (RFC 1123). One label is enough: private zones have such
/// names. The result is in lower case and has no dot at its end.
///
/// # Errors
/// Why the text is none, as a part of a sentence.
pub fn domain(text: &str) -> Result<String, String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    if name.is_empty() {
        return Err("a domain is missing after the `=`".into());
    }
    if let Some(below) = name.strip_prefix("*.") {
        return Err(format!(
            "`{text}` has a wildcard; `{below}` covers all that is below it"
        ));
    }
    if name.parse::<IpAddr>().is_ok() {
        return Err(format!(
            "`{text}` is an IP address, and those go before the `=`"
        ));
    }
    if !name.is_ascii() {
        return Err(format!("`{text}` is not ASCII; write it in its xn-- form"));
    }
    let good = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // All digits at the end is a mistyped address, and no top-level domain.
    let number = name
        .rsplit('.')
        .next()
        .is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()));
    if name.len() > 253 || number || !name.split('.').all(good) {
        return Err(format!("`{text}` is no domain name"));
    }
    Ok(name)
}

/// The canonical text of mappings, which the answers and the state file hold; empty for none.
#[must_use]
pub fn text(mappings: &[DnsMapping]) -> String {
    let each: Vec<String> = mappings.iter().map(DnsMapping::to_string).collect();
    each.join(SEPARATOR)
}

/// Also takes what a person wrote.
impl FromStr for Mappings {
    type Err = BadDns;

    fn from_str(text: &str) -> Result<Self, BadDns> {
        let mappings = text
            .split(SEPARATOR)
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .map(str::parse)
            .collect::<Result<Vec<DnsMapping>, _>>()?;
        check(&mappings)?;
        Ok(Self(mappings))
    }
}

/// Whether mappings go together.
///
/// # Errors
/// When a domain is in several: which servers it would get, Konnect does not say.
pub fn check(mappings: &[DnsMapping]) -> Result<(), BadDns> {
    let mut seen = BTreeSet::new();
    for mapping in mappings {
        for domain in &mapping.domains {
            if !seen.insert(domain) {
                return Err(BadDns {
                    input: mapping.to_string(),
                    problem: format!(
                        "`{domain}` is in another mapping too, so name all its servers in one"
                    ),
                });
            }
        }
    }
    Ok(())
}

impl Mappings {
    /// The mappings as Konnect's `dns_config`; nothing when there are none.
    #[must_use]
    pub fn config(&self) -> Option<Value> {
        let config: Vec<Value> = self
            .0
            .iter()
            .map(|DnsMapping { servers, domains }| {
                json!({ "remote_dns_server_ip_addresses": servers, "domain_proxy_list": domains })
            })
            .collect();
        (!config.is_empty()).then_some(Value::Array(config))
    }

    /// Whether a gateway has just these mappings, however they are grouped and ordered.
    #[must_use]
    pub fn are(&self, there: &[DnsConfig]) -> bool {
        let mut mine = Servers::new();
        for DnsMapping { servers, domains } in &self.0 {
            for domain in domains {
                let servers = servers.iter().map(IpAddr::to_string);
                mine.entry(domain.clone()).or_default().extend(servers);
            }
        }
        let mut theirs = Servers::new();
        for config in there {
            for domain in &config.domain_proxy_list {
                let domain = domain.strip_suffix('.').unwrap_or(domain).to_lowercase();
                let servers = config.remote_dns_server_ip_addresses.iter().map(|text| {
                    text.trim()
                        .parse()
                        .map_or_else(|_| text.clone(), |ip: IpAddr| ip.to_string())
                });
                theirs.entry(domain).or_default().extend(servers);
            }
        }
        mine == theirs
    }
}

/// The servers of each domain.
type Servers = BTreeMap<String, BTreeSet<String>>;

/// What a gateway has, as a person would write it.
#[must_use]
pub fn shown(there: &[DnsConfig]) -> Vec<String> {
    there
        .iter()
        .map(|config| {
            format!(
                "{}={}",
                config.remote_dns_server_ip_addresses.join(","),
                config.domain_proxy_list.join(",")
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Mappings, BadDns> {
        text.parse()
    }

    fn config_of(mappings: &Mappings) -> Vec<DnsConfig> {
        let value = mappings.config().unwrap_or_else(|| json!([]));
        serde_json::from_value(value).expect("our own shape")
    }

    #[test]
    fn the_mappings_of_the_guide_are_read_and_written() {
        let wire = |text: &str| parse(text).expect(text).config();
        let one = |ips: &[&str], domains: &[&str]| json!({ "remote_dns_server_ip_addresses": ips, "domain_proxy_list": domains });
        assert_eq!(
            wire("192.168.1.1=example.com"),
            Some(json!([one(&["192.168.1.1"], &["example.com"])]))
        );
        assert_eq!(
            wire("192.168.1.1=example.com,example2.com"),
            Some(json!([one(
                &["192.168.1.1"],
                &["example.com", "example2.com"]
            )]))
        );
        assert_eq!(
            wire("192.168.1.1,192.168.1.2=example.com,example2.com;192.168.1.1=example3.com"),
            Some(json!([
                one(
                    &["192.168.1.1", "192.168.1.2"],
                    &["example.com", "example2.com"]
                ),
                one(&["192.168.1.1"], &["example3.com"]),
            ]))
        );
        assert_eq!(wire(""), None);
    }

    #[test]
    fn the_text_is_canonical_and_reads_back() {
        let mappings =
            parse(" 10.0.0.4 ,10.0.0.4,FD00:0::1 = Corp.Example. , corp ; ").expect("good");
        assert_eq!(mappings.write(), "10.0.0.4,fd00::1=corp.example,corp");
        assert_eq!(Mappings::read(&mappings.write()), Some(mappings));
        assert_eq!(Mappings::default().write(), "");
        assert_eq!(Mappings::read(""), Some(Mappings::default()));
        assert_eq!(Mappings::read("10.0.0.4"), None);
    }

    #[test]
    fn what_is_wrong_is_said_in_one_sentence() {
        let long = format!("10.0.0.4={}", "a".repeat(64));
        for (bad, part) in [
            ("corp.example", "has no `=`"),
            ("=corp.example", "an IP address is missing"),
            ("10.0.0.4=", "a domain is missing"),
            ("10.0.0.4,=corp", "an IP address is missing"),
            ("10.0.0.4=corp,", "a domain is missing"),
            ("10.0.0.4=.", "a domain is missing"),
            ("10.0.0.4:53=corp", "`10.0.0.4:53` is no IP address"),
            ("10.0.0.0/24=corp", "is no IP address"),
            ("127.0.0.1=corp", "could reach"),
            ("0.0.0.0=corp", "could reach"),
            ("corp.example=10.0.0.4", "`corp.example` is no IP address"),
            ("10.0.0.4=10.0.0.5", "go before the `=`"),
            ("10.0.0.4=10.0.0.999", "is no domain name"),
            ("10.0.0.4=*.corp.example", "`corp.example` covers"),
            ("10.0.0.4=corp..example", "is no domain name"),
            ("10.0.0.4=corp.example..", "is no domain name"),
            ("10.0.0.4=-corp.example", "is no domain name"),
            ("10.0.0.4=corp_x.example", "is no domain name"),
            ("10.0.0.4=corp example", "is no domain name"),
            ("10.0.0.4=a=b", "is no domain name"),
            ("10.0.0.4=b\u{fc}ro.example", "xn--"),
            (&long, "is no domain name"),
            ("10.0.0.4=corp;10.0.0.5=CORP", "in another mapping too"),
        ] {
            let error = parse(bad).expect_err(bad).to_string();
            assert!(error.contains(part), "{bad}: {error}");
            assert!(error.contains("IP[,IP…]=DOMAIN[,DOMAIN…]"), "{error}");
        }
    }

    #[test]
    fn grouping_and_order_make_no_difference() {
        let asked = parse("10.0.0.4,10.0.0.5=b.example,a.example").expect("good");
        let apart = parse("10.0.0.5,10.0.0.4=a.example;10.0.0.4,10.0.0.5=b.example").expect("good");
        assert!(asked.are(&config_of(&apart)));
        let other = parse("10.0.0.4=a.example,b.example").expect("good");
        assert!(!asked.are(&config_of(&other)));
        assert!(!Mappings::default().are(&config_of(&other)));
        assert!(Mappings::default().are(&[]));
    }
}
