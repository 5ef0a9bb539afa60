//! Whether what a provider tells of its side agrees with what Entra and Azure tell of it, and is not the person's own. A provider
//! that was taken over, or whose answers were changed on the way, could else have your application sign in anywhere and lead your
//! VNet into any network.

use super::{
    Cx, Fault, arm,
    keys::{Side, USER_SUBSCRIPTION_ID, USER_TENANT_ID},
};
use crate::{
    engine::Refusal,
    fact::{Facts, Missing, Named},
    net::{Ranges, VnetId, same_addresses},
};

/// What the looks below read.
#[must_use]
pub const fn reads(side: Side) -> [Named; 4] {
    [
        USER_TENANT_ID.named(),
        USER_SUBSCRIPTION_ID.named(),
        side.app_id.named(),
        side.app_tenant_id.named(),
    ]
}

/// A network as a provider tells it.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// The tenant that it is in, where the provider tells one.
    pub tenant: Option<&'a str>,
    /// Its resource id.
    pub network: &'a str,
}

/// What a person does about it.
fn ask_the_provider(refusal: Refusal) -> Refusal {
    refusal
        .hint("nothing further was given to anybody: ask the provider, by another way than its API, which of the two is right")
        .hint("if that cannot be settled, undo this run")
}

/// Why the tenant and the network cannot be the provider's own, if they cannot. Where Entra tells no owner of the provider's
/// application, the tenant is only kept from being the person's. Sends nothing.
///
/// # Errors
/// When the person's side is not known.
pub fn disagrees(f: &Facts, side: Side, told: Told<'_>) -> Result<Option<Refusal>, Missing> {
    let (mine, subscription) = (f.get(USER_TENANT_ID)?, f.get(USER_SUBSCRIPTION_ID)?);
    let (app, owner) = (f.get(side.app_id)?, f.get(side.app_tenant_id).ok());
    let Told { tenant, network } = told;
    if let Some(tenant) = tenant {
        if same_id(tenant, mine.as_ref()) {
            return Ok(Some(ask_the_provider(
                Refusal::new(format!(
                    "the provider tells {tenant} as the tenant of its network, and that is your own tenant"
                ))
                .hint("the peering would not lead to the provider, and your application would act in your own tenant in its name"),
            )));
        }
        if let Some(owner) = owner.filter(|owner| !same_id(tenant, owner.as_ref())) {
            return Ok(Some(ask_the_provider(
                Refusal::new(format!(
                    "the provider tells {tenant} as the tenant of its network, and its application {app} belongs to the tenant {owner}"
                ))
                .hint("your application would sign in to a tenant that is not that of the application which you let in"),
            )));
        }
    }
    let Some(id) = VnetId::parse(network) else {
        return Ok(Some(ask_the_provider(Refusal::new(format!(
            "the provider tells `{network}` as its network, and that is no id of a virtual network"
        )))));
    };
    Ok(same_id(&id.subscription, subscription.as_ref()).then(|| {
        your_own(
            network,
            &format!("it is in the subscription {subscription} of your VNet"),
        )
    }))
}

/// Whether two ids are the same: services write them in either case.
#[must_use]
pub fn same_id(id: &str, other: &str) -> bool {
    id.trim().eq_ignore_ascii_case(other.trim())
}

fn your_own(network: &str, because: &str) -> Refusal {
    ask_the_provider(
        Refusal::new(format!(
            "the provider tells the network {network} as its own, and that is one of yours: {because}"
        ))
        .hint("the peering would connect two networks of yours, and not you with the provider"),
    )
}

/// The same, and whether the network is in another subscription of the person's tenant, which Azure is asked.
///
/// # Errors
/// When Azure fails in passing.
pub async fn look(cx: &Cx<'_>, side: Side, told: Told<'_>) -> Result<Option<Refusal>, Fault> {
    let f = &cx.facts;
    if let Some(refusal) = disagrees(f, side, told)? {
        return Ok(Some(refusal));
    }
    let (Some(id), mine) = (VnetId::parse(told.network), f.get(USER_TENANT_ID)?) else {
        return Ok(None);
    };
    // Azure refuses the person's token for a subscription of another tenant, so those that it is good for are listed.
    let seen = match cx.world.list(&arm::subscriptions()).await {
        Ok(seen) => seen,
        Err(error) if error.passing().is_some() => return Err(error.into()),
        // What the person may not see is not the person's.
        Err(_) => Vec::new(),
    };
    let found = seen
        .into_iter()
        .find(|it| same_id(&it.subscription_id, &id.subscription));
    let tenant = found.and_then(|found| found.tenant_id);
    Ok(tenant
        .filter(|tenant| same_id(tenant, mine.as_ref()))
        .map(|tenant| {
            let because = format!(
                "its subscription {} belongs to your tenant {tenant}",
                id.subscription
            );
            your_own(told.network, &because)
        }))
}

/// Which addresses a peering leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Leads {
    /// To those that were previewed, or nobody has previewed any.
    There,
    /// Azure does not tell yet.
    Untold,
    /// To others.
    Elsewhere(Refusal),
}

/// Whether the peering leads to just the addresses that were previewed: a range more is one that nobody agreed to, and a range
/// less is another network.
#[must_use]
pub fn leads(peering: &arm::Peering, previewed: Option<&Ranges>) -> Leads {
    let Some(previewed) = previewed.filter(|it| !it.0.is_empty()) else {
        return Leads::There;
    };
    let theirs = peering.remote_ranges();
    if theirs.is_empty() {
        Leads::Untold
    } else if same_addresses(&theirs, &previewed.texts()) {
        Leads::There
    } else {
        let theirs: Ranges = theirs.into_iter().collect();
        Leads::Elsewhere(ask_the_provider(
            Refusal::new(format!(
                "the peering `{}` leads to {theirs}, and {previewed} was previewed",
                peering.name
            ))
            .hint("the provider's network has other addresses than the provider told: it may be another network"),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fact::Key;
    use serde_json::json;

    const SIDE: Side = Side {
        app_id: Key::new("APP_ID"),
        app_name: Key::new("APP_NAME"),
        app_tenant_id: Key::new("APP_TENANT_ID"),
        app_publisher: Key::new("APP_PUBLISHER"),
        app_confirmed: Key::new("APP_CONFIRMED"),
        sp_id: Key::new("SP_ID"),
        role_id: Key::new("ROLE_ID"),
        assignment_id: Key::new("ASSIGNMENT_ID"),
        tenant_id: Key::new("TENANT_ID"),
        vnet_id: Key::new("VNET_ID"),
        range: Key::new("RANGE"),
    };

    fn told(owner: Option<&str>, tenant: &str, network: &str) -> Option<String> {
        let mut f = Facts::default()
            .with(USER_TENANT_ID, "aaaa-mine")
            .with(USER_SUBSCRIPTION_ID, "5555-mine")
            .with(SIDE.app_id, "app");
        if let Some(owner) = owner {
            f.set(SIDE.app_tenant_id, owner);
        }
        let told = Told {
            tenant: Some(tenant),
            network,
        };
        let refusal = disagrees(&f, SIDE, told).expect("all is known");
        refusal.map(|refusal| refusal.message)
    }

    const NETWORK: &str =
        "/subscriptions/7777-theirs/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v";

    #[test]
    fn ids_agree_whatever_their_case() {
        assert_eq!(told(Some("BBBB-theirs"), "bbbb-THEIRS", NETWORK), None);
        assert_eq!(told(None, "bbbb-theirs", NETWORK), None);
    }

    #[test]
    fn what_does_not_agree_is_named_with_both_values() {
        let owner = told(Some("bbbb"), "cccc", NETWORK).expect("another owner");
        assert!(owner.contains("cccc") && owner.contains("bbbb"), "{owner}");
        let own = told(None, "AAAA-mine", NETWORK).expect("one's own tenant");
        assert!(own.contains("your own tenant"), "{own}");
        let mine = NETWORK.replace("7777-theirs", "5555-MINE");
        let own = told(None, "bbbb", &mine).expect("one's own subscription");
        assert!(own.contains("one of yours"), "{own}");
        let odd = told(None, "bbbb", "/subscriptions/s/../x").expect("no network");
        assert!(odd.contains("no id"), "{odd}");
    }

    fn peering(peered: &[&str], now: &[&str]) -> arm::Peering {
        serde_json::from_value(json!({ "name": "p", "properties": {
            "remoteAddressSpace": { "addressPrefixes": peered },
            "remoteVirtualNetworkAddressSpace": { "addressPrefixes": now },
        } }))
        .expect("the shape of Azure")
    }

    #[test]
    fn a_peering_leads_to_just_what_was_previewed() {
        let previewed: Ranges = ["10.4.0.0/16", "fd00::/64"].into_iter().collect();
        let leads = |peered: &[&str], now: &[&str]| leads(&peering(peered, now), Some(&previewed));
        assert_eq!(leads(&[], &[]), Leads::Untold);
        let all = ["FD00::/64", "10.4.0.0/16"];
        assert_eq!(leads(&all, &all), Leads::There);
        assert_eq!(leads(&all, &[]), Leads::There);
        assert_eq!(
            leads(&["fd00::/64", "10.4.128.0/17", "10.4.0.0/17"], &all),
            Leads::There
        );
        for wrong in [
            &["10.4.0.0/16"][..],
            &["10.4.0.0/15", "fd00::/64"],
            &["10.4.0.0/17", "fd00::/64"],
            &["10.4.0.0/16", "fd00::/64", "10.9.0.0/24"],
            &["10.4.0.0/16", "fd00::/64", "nonsense"],
        ] {
            let found = leads(wrong, &[]);
            assert!(matches!(found, Leads::Elsewhere(_)), "{wrong:?}: {found:?}");
        }
        assert_eq!(
            super::leads(&peering(&["10.0.0.0/8"], &[]), None),
            Leads::There
        );
    }
}
