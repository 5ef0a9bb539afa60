use serde_json::{Value, json};

use super::{AIVEN_TENANT, ARM, App, Bench, NETWORK_CONTRIBUTOR, at, code};
use crate::sandbox::Lag;
use crate::sandbox::faults::{Fault, Faults, When};

pub(super) fn wish(remote: &str) -> Value {
    json!({"properties": {
        "remoteVirtualNetwork": {"id": remote}, "allowVirtualNetworkAccess": true, "allowForwardedTraffic": false,
        "allowGatewayTransit": false, "useRemoteGateways": false,
    }})
}

pub(super) fn half(vnet: &str, name: &str) -> String {
    at(&format!("{vnet}/virtualNetworkPeerings/{name}"))
}

pub(super) fn networks(bench: &Bench) -> Vec<String> {
    bench.edit(|world| {
        world
            .networks
            .iter()
            .map(crate::sandbox::parts::Network::id)
            .collect()
    })
}

/// An application that may write peerings on the sample network and peer with Aiven's.
fn guest(bench: &Bench) -> (App, String) {
    let app = bench.app();
    assert_eq!(
        bench
            .assign(
                1,
                &bench.sample.vnet_id,
                NETWORK_CONTRIBUTOR,
                &app.principal
            )
            .0,
        201
    );
    let remote = bench.edit(|world| world.aiven.vpcs[0].network.clone());
    bench.edit(|world| world.add_principal(AIVEN_TENANT, &app.client, Vec::new()));
    (app, remote)
}

fn put_both(bench: &Bench, path: &str, tokens: &[&str], body: &Value) -> (u16, Value) {
    let headers = [
        ("authorization", tokens[0]),
        (
            "x-ms-authorization-auxiliary",
            tokens.get(1).copied().unwrap_or_default(),
        ),
    ];
    let answer = bench.send("PUT", path, &headers[..tokens.len()], Some(body));
    (answer.status, answer.body.unwrap_or_default())
}

#[test]
fn two_halves_make_a_connection() {
    let bench = Bench::new(Lag::None);
    let arm = bench.admin(ARM);
    let [hub, apps, ..] = &networks(&bench)[..] else {
        panic!()
    };
    let (status, first) = bench.put(&half(hub, "out"), &arm, &wish(apps));
    assert_eq!(status, 201);
    assert_eq!(first["properties"]["provisioningState"], "Updating");
    let seen = |vnet: &str, name: &str| {
        let (_, body) = bench.get(&half(vnet, name), &arm);
        [
            &body["properties"]["peeringState"],
            &body["properties"]["peeringSyncLevel"],
        ]
        .map(|word| word.as_str().unwrap().to_owned())
    };
    assert_eq!(seen(hub, "out"), ["Initiated", "RemoteNotInSync"]);
    let (status, second) = bench.put(&half(apps, "in"), &arm, &wish(hub));
    assert_eq!(
        (status, &second["properties"]["peeringState"]),
        (201, &json!("Connected"))
    );
    assert_eq!(seen(hub, "out"), ["Connected", "FullyInSync"]);
    assert_eq!(
        bench.put(&half(hub, "OUT"), &arm, &wish(apps)).0,
        200,
        "the same again is an update"
    );
    let twin = bench.put(&half(hub, "other"), &arm, &wish(&apps.to_lowercase()));
    assert_eq!(
        code(&twin),
        (400, "AnotherPeeringAlreadyReferencesRemoteVnet")
    );

    // One side goes, the other hangs in the air and blocks a new one.
    assert_eq!(bench.call("DELETE", &half(apps, "in"), &arm, None).0, 202);
    assert_eq!(bench.get(&half(apps, "in"), &arm).0, 404);
    assert_eq!(bench.call("DELETE", &half(apps, "in"), &arm, None).0, 204);
    assert_eq!(seen(hub, "out")[0], "Disconnected");
    assert_eq!(
        code(&bench.put(&half(apps, "in"), &arm, &wish(hub))),
        (400, "RemotePeeringIsDisconnected")
    );
    assert_eq!(bench.put(&half(hub, "out"), &arm, &wish(apps)).0, 200);
    assert_eq!(seen(hub, "out")[0], "Initiated");

    bench.edit(|world| world.networks[1].prefixes.push("10.21.0.0/16".to_owned()));
    bench.put(&half(apps, "in"), &arm, &wish(hub));
    assert_eq!(seen(hub, "out"), ["Connected", "LocalNotInSync"]);
}

#[test]
fn names_ranges_and_bodies_are_checked() {
    let bench = Bench::new(Lag::None);
    let arm = bench.admin(ARM);
    let [hub, apps, legacy, development, ..] = &networks(&bench)[..] else {
        panic!()
    };
    for name in ["-x", "x-", "a%20b", &"n".repeat(81)] {
        assert_eq!(
            code(&bench.put(&half(hub, name), &arm, &wish(apps))),
            (400, "InvalidResourceName"),
            "{name}"
        );
    }
    for body in [
        json!({}),
        json!({"properties": {}}),
        json!({"properties": {"remoteVirtualNetwork": {"id": apps}, "colour": 1}}),
    ] {
        assert_eq!(
            code(&bench.put(&half(hub, "x"), &arm, &body)),
            (400, "InvalidRequestFormat")
        );
    }
    bench.edit(|world| world.networks[3].prefixes = vec!["10.10.128.0/20".to_owned()]);
    let answer = bench.put(&half(hub, "x"), &arm, &wish(development));
    assert_eq!(code(&answer), (400, "VnetAddressSpacesOverlap"));
    bench.edit(|world| world.networks[3].prefixes = vec!["192.168.3.0/24".to_owned()]);
    assert_eq!(bench.put(&half(hub, "legacy"), &arm, &wish(legacy)).0, 201);
    let third = bench.put(&half(hub, "x"), &arm, &wish(development));
    assert_eq!(
        code(&third),
        (400, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet")
    );
    let nowhere = bench.put(&half(hub, "x"), &arm, &wish(&format!("{apps}-not")));
    assert_eq!(code(&nowhere), (400, "InvalidResourceReference"));
    bench.edit(|world| "Updating".clone_into(&mut world.networks[1].provisioning));
    assert_eq!(
        code(&bench.put(&half(hub, "x"), &arm, &wish(apps))),
        (400, "ReferencedResourceNotProvisioned")
    );
}

#[test]
fn the_other_tenant_is_asked_too() {
    let bench = Bench::new(Lag::None);
    let (app, remote) = guest(&bench);
    let vnet = bench.sample.vnet_id.clone();
    let token = |tenant: &str| {
        bench
            .sign_in(tenant, &app.client, &app.secret, ARM)
            .unwrap()
    };
    let (home, away) = (token(&bench.sample.tenant), token(AIVEN_TENANT));
    let path = half(&vnet, "x");
    let message = |answer: &(u16, Value)| answer.1["error"]["message"].as_str().unwrap().to_owned();

    let alone = put_both(&bench, &path, &[&home], &wish(&remote));
    assert_eq!(code(&alone), (403, "LinkedAuthorizationFailed"));
    assert!(message(&alone).contains("is not authorized to access linked subscription"));
    let twice = put_both(&bench, &path, &[&home, &home], &wish(&remote));
    assert!(message(&twice).contains("is not authorized to access linked subscription"));
    let someone = put_both(&bench, &path, &[&home, "Bearer else"], &wish(&remote));
    assert_eq!(code(&someone), (401, "InvalidAuthenticationTokenAuxiliary"));
    let many = [away.as_str(); 4].join(", ");
    assert_eq!(
        put_both(&bench, &path, &[&home, &many], &wish(&remote)).0,
        401
    );

    let powerless = put_both(&bench, &path, &[&home, &away], &wish(&remote));
    assert_eq!(code(&powerless), (403, "LinkedAuthorizationFailed"));
    assert!(message(&powerless).contains(
        "does not have permission to perform action 'Microsoft.Network/virtualNetworks/peer/action'"
    ));
    bench.edit(|world| {
        let principal = world
            .principal(AIVEN_TENANT, &app.client)
            .unwrap()
            .id
            .clone();
        let mut grant = world.assignments[0].clone();
        (grant.tenant, grant.scope, grant.principal) =
            (AIVEN_TENANT.to_owned(), remote.clone(), principal);
        world.assignments.push(grant);
    });
    let swapped = put_both(&bench, &path, &[&away, &home], &wish(&remote));
    assert_eq!(code(&swapped), (401, "InvalidAuthenticationTokenTenant"));
    let nowhere = put_both(&bench, &path, &[&home, &away], &wish(&format!("{remote}x")));
    assert_eq!(code(&nowhere), (403, "LinkedAuthorizationFailed"));
    assert_eq!(
        put_both(&bench, &path, &[&home, &away], &wish(&remote)).0,
        201
    );
}

#[test]
fn an_operation_takes_its_time_and_keeps_others_out() {
    let bench = Bench::new(Lag::Looks(2));
    let arm = bench.admin(ARM);
    let [hub, apps, ..] = &networks(&bench)[..] else {
        panic!()
    };
    let answer = bench.send(
        "PUT",
        &half(hub, "x"),
        &[("authorization", &arm)],
        Some(&wish(apps)),
    );
    let address = |answer: &crate::sandbox::wire::Answer, name: &str| {
        let (_, value) = answer
            .headers
            .iter()
            .find(|(key, _)| *key == name)
            .unwrap()
            .clone();
        value
            .strip_prefix("https://localhost:1")
            .unwrap()
            .to_owned()
    };
    let operation = address(&answer, "azure-asyncoperation");
    assert_eq!(bench.get(&operation, &arm).1["status"], "InProgress");
    assert_eq!(
        code(&bench.put(&half(hub, "x"), &arm, &wish(apps))),
        (429, "AnotherOperationInProgress")
    );
    assert_eq!(bench.get(&operation, &arm).1["status"], "Succeeded");
    assert_eq!(
        bench.get(&half(hub, "x"), &arm).1["properties"]["provisioningState"],
        "Succeeded"
    );

    let answer = bench.send("DELETE", &half(hub, "x"), &[("authorization", &arm)], None);
    let results = address(&answer, "location");
    assert_eq!(bench.get(&results, &arm).0, 202);
    assert_eq!(
        bench.get(&half(hub, "x"), &arm).1["properties"]["provisioningState"],
        "Deleting"
    );
    assert_eq!(bench.get(&results, &arm).0, 204);
    assert_eq!(bench.get(&half(hub, "x"), &arm).0, 404);
    let unknown = results.replace("operationResults/", "operationResults/x");
    assert_eq!(bench.get(&unknown, &arm).0, 404);
}

#[test]
fn an_operation_may_fail() {
    let fault = Fault::FailOperation("InternalError".to_owned(), "no luck".to_owned());
    let bench = Bench::with(
        Lag::None,
        Faults::once(When::path("virtualNetworkPeerings"), fault),
    );
    let arm = bench.admin(ARM);
    let [hub, apps, ..] = &networks(&bench)[..] else {
        panic!()
    };
    let answer = bench.send(
        "PUT",
        &half(hub, "x"),
        &[("authorization", &arm)],
        Some(&wish(apps)),
    );
    let (_, operation) = answer
        .headers
        .iter()
        .find(|(key, _)| *key == "azure-asyncoperation")
        .unwrap();
    let (status, body) = bench.get(operation.strip_prefix("https://localhost:1").unwrap(), &arm);
    assert_eq!(
        (status, &body["status"], &body["error"]["code"]),
        (200, &json!("Failed"), &json!("InternalError"))
    );
    assert_eq!(
        bench.get(&half(hub, "x"), &arm).1["properties"]["provisioningState"],
        "Failed"
    );
    assert_eq!(bench.put(&half(hub, "x"), &arm, &wish(apps)).0, 200);
    assert_eq!(
        bench.get(&half(hub, "x"), &arm).1["properties"]["provisioningState"],
        "Succeeded"
    );
}
