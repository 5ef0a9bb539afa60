use std::collections::BTreeSet;

use super::{AIVEN_TENANT, Bench};
use crate::sandbox::halves::overlap;
use crate::sandbox::sample::KONG_TENANT;
use crate::sandbox::{Lag, World};

/// A second of everything, and a third VPC.
fn more(world: &mut World) -> Vec<String> {
    let (project, organization) = ("acme-prod", "org1a2b3c4d5e6");
    vec![
        world.add_project_vpc(project),
        world.add_project_vpc(project),
        world.add_organization_vpc(organization),
        world.add_project_vpc("acme-metrics"),
        world.add_gateway_network(),
        world.add_gateway_network(),
    ]
}

#[test]
fn there_may_be_more_to_choose_from() {
    let bench = Bench::new(Lag::None);
    let ids = bench.edit(more);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    let aiven = format!("aivenv1 {}", bench.sample.aiven_token);
    let ready = |path: &str, token: &str, list: &str, key: &str| -> Vec<String> {
        let (status, body) = bench.get(path, token);
        assert_eq!(status, 200, "{body}");
        let usable = body[list].as_array().unwrap().iter().filter(|one| {
            let azure = one.to_string().contains("azure-westeurope") || list == "data";
            azure && ["ACTIVE", "ready"].contains(&one["state"].as_str().unwrap())
        });
        usable
            .map(|one| one[key].as_str().unwrap().to_owned())
            .collect()
    };
    let project = ready(
        "/v1/project/acme-prod/vpcs",
        &aiven,
        "vpcs",
        "project_vpc_id",
    );
    let (sample, new) = (&bench.sample, &ids);
    assert_eq!(
        project,
        [&sample.project_vpc, &new[0], &new[1]].map(String::as_str)
    );
    let organization = format!("/v1/organization/{}/vpcs", sample.organization);
    let organization = ready(&organization, &aiven, "vpcs", "organization_vpc_id");
    assert_eq!(
        organization,
        [&sample.organization_vpc, &new[2]].map(String::as_str)
    );
    let timescale = ready(
        "/v1/project/acme-metrics/vpcs",
        &format!("aivenv1 {}", sample.timescale_token),
        "vpcs",
        "project_vpc_id",
    );
    assert_eq!(
        timescale,
        [&sample.timescale_vpc, &new[3]].map(String::as_str)
    );
    let konnect = format!("Bearer {}", sample.konnect_token);
    let azure = bench.edit(|world| world.konnect.accounts[0].id.clone());
    let (_, body) = bench.get("/v2/cloud-gateways/networks", &konnect);
    let networks = body["data"].as_array().unwrap().iter();
    let usable: Vec<&str> = networks
        .filter(|one| one["state"] == "ready" && one["cloud_gateway_provider_account_id"] == azure)
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(usable, [&sample.konnect_network, &new[4], &new[5]]);
}

#[test]
fn what_is_added_stays_out_of_the_way() {
    let bench = Bench::new(Lag::None);
    bench.edit(|world| {
        let known = world.networks.len();
        more(world);
        for (at, one) in world.networks.iter().enumerate().skip(known) {
            for other in &world.networks[..at] {
                let hits = overlap(&one.prefixes, &other.prefixes);
                assert!(hits.is_none(), "{} and {}", one.name, other.name);
            }
        }
    });
}

#[test]
fn each_provider_has_its_networks_in_its_own_tenant() {
    let bench = Bench::new(Lag::None);
    bench.edit(|world| {
        more(world);
        let aiven = world
            .aiven
            .vpcs
            .iter()
            .map(|vpc| (&vpc.network, AIVEN_TENANT));
        let kong = world.konnect.networks.iter();
        let kong = kong.map(|network| (&network.network, KONG_TENANT));
        let ours: Vec<(&String, &str)> =
            aiven.chain(kong).filter(|(id, _)| !id.is_empty()).collect();
        let distinct: BTreeSet<String> = ours.iter().map(|(id, _)| id.to_lowercase()).collect();
        assert_eq!((distinct.len(), ours.len()), (10, 10));
        for (id, tenant) in ours {
            assert!(world.network(id).is_some(), "{id}");
            assert_eq!(world.tenant_of(id).as_deref(), Some(tenant), "{id}");
            let (subscription, group) = {
                let parts: Vec<&str> = id.split('/').collect();
                (parts[2], parts[4])
            };
            let housed = |one: &crate::sandbox::parts::Group| {
                one.subscription == subscription && one.name == group
            };
            assert!(world.groups.iter().any(housed), "{id}");
        }
    });
}
