//! Address ranges and Azure resource ids, as plain values.

use crate::fact::Fact;
use ipnet::IpNet;
use std::{collections::BTreeSet, fmt};

/// The id of a virtual network, taken apart. Azure compares ids without regard to case and keeps the case it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VnetId {
    /// The subscription's id.
    pub subscription: String,
    /// The resource group's name.
    pub resource_group: String,
    /// The virtual network's name.
    pub name: String,
}

impl VnetId {
    /// Reads `/subscriptions/…/resourceGroups/…/providers/Microsoft.Network/virtualNetworks/…`.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let id = id.trim().trim_end_matches('/');
        let parts: Vec<&str> = id.strip_prefix('/')?.split('/').collect();
        let [at, subscription, of, group, under, provider, kind, name] = parts.as_slice() else {
            return None;
        };
        let fixed = [
            (at, "subscriptions"),
            (of, "resourceGroups"),
            (under, "providers"),
            (provider, "Microsoft.Network"),
            (kind, "virtualNetworks"),
        ];
        let good = fixed.iter().all(|(is, want)| is.eq_ignore_ascii_case(want))
            && [subscription, group, name]
                .iter()
                .all(|part| !matches!(**part, "" | "." | ".."));
        good.then(|| Self {
            subscription: (*subscription).into(),
            resource_group: (*group).into(),
            name: (*name).into(),
        })
    }
}

impl fmt::Display for VnetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subscription,
            resource_group,
            name,
        } = self;
        write!(
            f,
            "/subscriptions/{subscription}/resourceGroups/{resource_group}/providers/Microsoft.Network/virtualNetworks/{name}"
        )
    }
}

impl VnetId {
    /// How a run's file calls the member with this VNet: Azure does not tell ids apart by their case.
    #[must_use]
    pub fn member(&self) -> String {
        self.to_string().to_lowercase()
    }

    /// The subscription's own id.
    #[must_use]
    pub fn subscription_scope(&self) -> String {
        format!("/subscriptions/{}", self.subscription)
    }
}

impl Fact for VnetId {
    fn read(text: &str) -> Option<Self> {
        Self::parse(text)
    }
    fn write(&self) -> String {
        self.to_string()
    }
}

/// Address ranges in CIDR notation, as a service told them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges(pub Vec<String>);

impl Ranges {
    /// The ranges as texts.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        self.0.iter().map(String::as_str).collect()
    }
}

impl<T: Into<String>> FromIterator<T> for Ranges {
    fn from_iter<I: IntoIterator<Item = T>>(ranges: I) -> Self {
        Self(ranges.into_iter().map(Into::into).collect())
    }
}

impl fmt::Display for Ranges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(RANGE_SEPARATOR))
    }
}

impl Fact for Ranges {
    fn read(text: &str) -> Option<Self> {
        let all = text.split(RANGE_SEPARATOR).filter(|it| !it.is_empty());
        Some(all.collect())
    }
    fn write(&self) -> String {
        self.to_string()
    }
}

/// Whether a right or role at `scope` reaches `id`.
#[must_use]
pub fn covers(scope: &str, id: &str) -> bool {
    let scope = scope.trim_end_matches('/').to_lowercase();
    let id = id.trim_end_matches('/').to_lowercase();
    id == scope || (id.starts_with(&scope) && id.as_bytes().get(scope.len()) == Some(&b'/'))
}

/// The last part of an id, such as a role definition's GUID.
#[must_use]
pub fn leaf(id: &str) -> &str {
    id.trim_end_matches('/').rsplit('/').next().unwrap_or(id)
}

/// The pairs of ranges that share addresses, in the order given. What is no range is left out: Azure's own words decide.
#[must_use]
pub fn overlaps<'a>(ours: &[&'a str], theirs: &[&'a str]) -> Vec<(&'a str, &'a str)> {
    let nets = |texts: &[&'a str]| -> Vec<(&'a str, IpNet)> {
        texts
            .iter()
            .filter_map(|text| Some((*text, text.trim().parse().ok()?)))
            .collect()
    };
    let theirs = nets(theirs);
    nets(ours)
        .into_iter()
        .flat_map(|(a, mine)| {
            theirs
                .iter()
                .filter(move |(_, other)| mine.contains(other) || other.contains(&mine))
                .map(move |(b, _)| (a, *b))
        })
        .collect()
}

/// Whether two lists of ranges are of the same addresses, whatever their order and however they are cut. A text that is no range
/// is like itself alone.
#[must_use]
pub fn same_addresses(some: &[&str], others: &[&str]) -> bool {
    let addresses = |texts: &[&str]| {
        let mut nets: Vec<IpNet> = Vec::new();
        let mut odd: BTreeSet<String> = BTreeSet::new();
        for text in texts {
            match text.trim().parse::<IpNet>() {
                Ok(net) => nets.push(net.trunc()),
                Err(_) => {
                    odd.insert((*text).to_owned());
                }
            }
        }
        let nets: BTreeSet<IpNet> = IpNet::aggregate(&nets).into_iter().collect();
        (nets, odd)
    };
    addresses(some) == addresses(others)
}

/// A list of ranges as one text, and back.
pub const RANGE_SEPARATOR: &str = ", ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vnet_id_is_read_whatever_its_case_and_anything_else_is_not() {
        let id = "/SUBSCRIPTIONS/s/resourcegroups/Rg-1_(x)/providers/microsoft.network/virtualnetworks/v.1/";
        let vnet = VnetId::parse(id).expect("an id");
        assert_eq!(
            (vnet.resource_group.as_str(), vnet.name.as_str()),
            ("Rg-1_(x)", "v.1")
        );
        for bad in [
            "",
            "vnet",
            "/subscriptions/s",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/x",
            "/subscriptions//resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v",
            "/subscriptions/s/resourceGroups/../providers/Microsoft.Network/virtualNetworks/v",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/.",
        ] {
            assert!(VnetId::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_scope_covers_what_is_below_it_and_not_its_namesakes() {
        assert!(covers(
            "/subscriptions/A",
            "/subscriptions/a/resourceGroups/g"
        ));
        assert!(covers("/", "/subscriptions/a"));
        assert!(!covers("/subscriptions/a", "/subscriptions/ab"));
    }

    #[test]
    fn overlaps_are_named_in_pairs() {
        let found = overlaps(
            &["10.0.0.0/16", "fd00::/8"],
            &["10.0.3.0/24", "10.1.0.0/16", "nonsense"],
        );
        assert_eq!(found, [("10.0.0.0/16", "10.0.3.0/24")]);
    }
}
