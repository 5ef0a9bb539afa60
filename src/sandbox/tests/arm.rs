use serde_json::json;

use super::{
    AIVEN_TENANT, ARM, Bench, GRAPH, NETWORK_CONTRIBUTOR, PEER, READER, assignment, at, code,
    definition, guid, role,
};
use crate::sandbox::Lag;
use crate::sandbox::world::{Lock, State};

fn names(bench: &Bench, path: &str, token: &str) -> Vec<String> {
    let (status, body) = bench.get(path, token);
    assert_eq!(status, 200, "{body}");
    let name = |item: &serde_json::Value| {
        ["name", "displayName"]
            .iter()
            .find_map(|key| item[*key].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    body["value"].as_array().unwrap().iter().map(name).collect()
}

#[test]
fn every_request_says_its_version() {
    let bench = Bench::new(Lag::None);
    let arm = bench.admin(ARM);
    assert_eq!(
        code(&bench.get("/subscriptions", &arm)),
        (400, "MissingApiVersionParameter")
    );
    assert_eq!(
        names(&bench, "/subscriptions?api-version=2022-12-01", &arm),
        ["Production", "Development"]
    );
    assert_eq!(
        names(&bench, "/tenants?api-version=2022-12-01", &arm),
        ["Acme"]
    );
    assert_eq!(
        code(&bench.get("/subscriptions?api-version=2022-12-01", "")),
        (401, "AuthenticationFailed")
    );
}

#[test]
fn tenants_are_kept_apart() {
    let bench = Bench::new(Lag::None);
    let app = bench.app();
    bench.edit(|world| world.add_principal(AIVEN_TENANT, &app.client, Vec::new()));
    let away = bench
        .sign_in(AIVEN_TENANT, &app.client, &app.secret, ARM)
        .unwrap();
    let answer = bench.get(&at(&bench.sample.vnet_id), &away);
    assert_eq!(code(&answer), (401, "InvalidAuthenticationTokenTenant"));
    assert!(
        answer.1["error"]["message"]
            .as_str()
            .unwrap()
            .contains(&bench.sample.tenant)
    );
    let unknown = bench.get(
        &at(&format!(
            "/subscriptions/{}/providers/Microsoft.Network/virtualNetworks",
            guid(1)
        )),
        &away,
    );
    assert_eq!(code(&unknown), (404, "SubscriptionNotFound"));
    assert!(names(&bench, "/subscriptions?api-version=2022-12-01", &away).is_empty());
}

#[test]
fn nothing_is_readable_without_a_role() {
    let bench = Bench::new(Lag::None);
    let app = bench.app();
    let vnet = bench.sample.vnet_id.clone();
    let list = at(&format!(
        "/subscriptions/{}/providers/Microsoft.Network/virtualNetworks",
        bench.sample.subscription
    ));
    let token = bench
        .sign_in(&bench.sample.tenant, &app.client, &app.secret, ARM)
        .unwrap();
    assert_eq!(
        code(&bench.get(&at(&vnet), &token)),
        (403, "AuthorizationFailed")
    );
    assert_eq!(
        code(&bench.get(&list, &token)),
        (403, "AuthorizationFailed")
    );
    assert!(names(&bench, "/subscriptions?api-version=2022-12-01", &token).is_empty());
    assert_eq!(bench.assign(1, &vnet, READER, &app.principal).0, 201);
    assert_eq!(bench.get(&at(&vnet), &token).0, 200);
    assert_eq!(names(&bench, &list, &token), ["vnet-hub-prod"]);
    assert_eq!(
        names(&bench, "/subscriptions?api-version=2022-12-01", &token),
        ["Production"]
    );
    let write = bench.put(
        &at(&format!("{vnet}/virtualNetworkPeerings/x")),
        &token,
        &json!({}),
    );
    assert_eq!(code(&write), (403, "AuthorizationFailed"));
    let grant = json!({"properties": {"roleDefinitionId": READER, "principalId": app.principal}});
    assert_eq!(
        code(&bench.put(&assignment(2, &vnet), &token, &grant)),
        (403, "AuthorizationFailed")
    );
}

#[test]
fn ids_are_found_in_any_case_and_given_as_they_are() {
    let bench = Bench::new(Lag::None);
    let arm = bench.admin(ARM);
    let (status, network) = bench.get(&at(&bench.sample.vnet_id.to_uppercase()), &arm);
    assert_eq!(
        (status, network["id"].as_str()),
        (200, Some(&*bench.sample.vnet_id))
    );
    let group = format!(
        "/subscriptions/{}/resourcegroups/rg-network-prod",
        bench.sample.subscription
    );
    assert_eq!(bench.get(&at(&group), &arm).1["name"], "RG-Network-Prod");
    let missing = bench.get(&at(&format!("{}x", bench.sample.vnet_id)), &arm);
    assert_eq!(code(&missing), (404, "ResourceNotFound"));
    let missing = bench.get(&at(&bench.sample.vnet_id.replace("RG-", "no-")), &arm);
    assert_eq!(code(&missing), (404, "ResourceGroupNotFound"));
}

#[test]
fn a_role_spreads_to_new_tokens_only() {
    let bench = Bench::new(Lag::Looks(1));
    let app = bench.app();
    let vnet = at(&bench.sample.vnet_id);
    assert_eq!(
        bench
            .assign(1, &bench.sample.vnet_id, READER, &app.principal)
            .0,
        201
    );
    let sign_in = || {
        (0..9)
            .find_map(|_| {
                bench
                    .sign_in(&bench.sample.tenant, &app.client, &app.secret, ARM)
                    .ok()
            })
            .unwrap()
    };
    let old = sign_in();
    let refused: Vec<u16> = (0..4).map(|_| bench.get(&vnet, &old).0).collect();
    assert_eq!(refused, [403, 403, 403, 403]);
    assert_eq!(bench.get(&vnet, &sign_in()).0, 200);
}

#[test]
fn assignments_are_unique_and_unchangeable() {
    let bench = Bench::new(Lag::None);
    let app = bench.app();
    let vnet = &bench.sample.vnet_id;
    assert_eq!(bench.assign(1, vnet, READER, &app.principal).0, 201);
    assert_eq!(bench.assign(1, vnet, READER, &app.principal).0, 200);
    let twin = bench.assign(2, vnet, READER, &app.principal);
    assert_eq!(code(&twin), (409, "RoleAssignmentExists"));
    assert!(
        twin.1["error"]["message"]
            .as_str()
            .unwrap()
            .ends_with(&format!("{}.", guid(1).replace('-', "")))
    );
    assert_eq!(
        code(&bench.assign(1, vnet, NETWORK_CONTRIBUTOR, &app.principal)),
        (400, "RoleAssignmentUpdateNotPermitted")
    );
    assert_eq!(
        code(&bench.assign(3, vnet, READER, &guid(7))),
        (400, "PrincipalNotFound")
    );
    assert_eq!(
        code(&bench.assign(3, vnet, &guid(8), &app.principal)),
        (400, "RoleDefinitionDoesNotExist")
    );
    let arm = bench.admin(ARM);
    let filter = |text: &str| {
        let path = format!(
            "{vnet}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter={text}"
        );
        names(&bench, &path, &arm)
    };
    assert_eq!(
        filter(&format!("principalId eq '{}'", app.principal)),
        [guid(1)]
    );
    assert_eq!(
        filter(&format!("atScope() and assignedTo('{}')", app.principal)),
        [guid(1)]
    );
    assert_eq!(filter("atScope()").len(), 3);
    assert_eq!(
        bench.call("DELETE", &assignment(1, vnet), &arm, None).0,
        200
    );
    assert_eq!(
        bench.call("DELETE", &assignment(1, vnet), &arm, None).0,
        204
    );
    assert_eq!(
        code(&bench.get(&assignment(1, vnet), &arm)),
        (404, "RoleAssignmentNotFound")
    );
}

#[test]
fn a_fresh_principal_is_unknown_unless_its_type_is_given() {
    let bench = Bench::new(Lag::Looks(1));
    let app = bench.app();
    let arm = bench.admin(ARM);
    let vnet = &bench.sample.vnet_id;
    let body = json!({"properties": {"roleDefinitionId": format!("/x/{READER}"), "principalId": app.principal}});
    assert_eq!(
        code(&bench.put(&assignment(1, vnet), &arm, &body)),
        (400, "PrincipalNotFound")
    );
    assert_eq!(bench.put(&assignment(1, vnet), &arm, &body).0, 201);
    let second = bench.post(
        "/v1.0/servicePrincipals",
        &bench.admin(GRAPH),
        &json!({"appId": super::AIVEN_APP}),
    );
    assert_eq!(
        bench
            .assign(2, vnet, READER, second.1["id"].as_str().unwrap())
            .0,
        201
    );
}

#[test]
fn role_names_are_unique_in_the_tenant() {
    let bench = Bench::new(Lag::None);
    let arm = bench.admin(ARM);
    let development = bench.edit(|world| world.subscriptions[1].id.clone());
    assert_eq!(bench.role(1, "aiven", &[PEER]).0, 201);
    assert_eq!(bench.role(1, "aiven", &[PEER]).0, 201);
    let elsewhere = role(
        "Aiven",
        &[PEER],
        &[&format!("/subscriptions/{development}")],
    );
    let twin = bench.put(&definition(2, &development), &arm, &elsewhere);
    assert_eq!(code(&twin), (409, "RoleDefinitionWithSameNameExists"));
    // It is not visible from there, but it is from the top of the tenant.
    let list = |scope: &str| {
        let path = format!(
            "{scope}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01&$filter=roleName eq 'aiven'"
        );
        names(&bench, &path, &arm)
    };
    assert!(list(&format!("/subscriptions/{development}")).is_empty());
    assert_eq!(list(""), [guid(1)]);
    assert_eq!(list(&bench.sample.vnet_id), [guid(1)]);
    let both = [
        format!("/subscriptions/{development}"),
        format!("/subscriptions/{}", bench.sample.subscription),
    ];
    let extended = role("aiven", &[PEER], &[&both[0], &both[1]]);
    assert_eq!(
        bench.put(&definition(1, &development), &arm, &extended).0,
        201
    );
    assert_eq!(list(&both[0]), [guid(1)]);
    let foreign = role(
        "other",
        &[PEER],
        &["/subscriptions/2a9c4e61-7d3b-4f05-8e1a-b6c8d0f2a435"],
    );
    assert_eq!(
        code(&bench.put(&definition(3, &development), &arm, &foreign)),
        (400, "InvalidAssignableScope")
    );
    assert_eq!(
        code(&bench.put(
            &definition(3, &development),
            &arm,
            &role("other", &[PEER], &[])
        )),
        (400, "InvalidRoleDefinition")
    );
}

#[test]
fn a_role_in_use_cannot_be_deleted_and_is_assignable_where_it_says() {
    let bench = Bench::new(Lag::None);
    let arm = bench.admin(ARM);
    let vendor = bench.vendor();
    let development = bench.edit(|world| world.networks[3].id());
    assert_eq!(bench.role(1, "aiven", &[PEER]).0, 201);
    assert_eq!(
        code(&bench.assign(1, &development, &guid(1), &vendor)),
        (400, "RoleAssignmentScopeNotAssignableToRoleDefinition")
    );
    assert_eq!(
        bench.assign(1, &bench.sample.vnet_id, &guid(1), &vendor).0,
        201
    );
    let path = definition(1, &bench.sample.subscription);
    assert_eq!(
        code(&bench.call("DELETE", &path, &arm, None)),
        (400, "RoleDefinitionHasAssignments")
    );
    bench.call("DELETE", &assignment(1, &bench.sample.vnet_id), &arm, None);
    assert_eq!(bench.call("DELETE", &path, &arm, None).0, 200);
    assert_eq!(bench.call("DELETE", &path, &arm, None).0, 204);
    assert_eq!(
        code(&bench.get(&path, &arm)),
        (404, "RoleDefinitionDoesNotExist")
    );
}

#[test]
fn role_changes_spread() {
    let bench = Bench::new(Lag::Looks(1));
    let arm = bench.admin(ARM);
    let app = bench.app();
    assert_eq!(bench.role(1, "aiven", &[PEER]).0, 201);
    let vnet = &bench.sample.vnet_id;
    assert_eq!(
        code(&bench.assign(1, vnet, &guid(1), &app.principal)),
        (400, "RoleDefinitionDoesNotExist")
    );
    assert_eq!(bench.assign(1, vnet, &guid(1), &app.principal).0, 201);
    let by_name = format!(
        "{vnet}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01&$filter=roleName%20eq%20'aiven'"
    );
    assert!(names(&bench, &by_name, &arm).is_empty());
    assert_eq!(names(&bench, &by_name, &arm), [guid(1)]);
    assert_eq!(bench.role(1, "aiven", &[PEER]).0, 201);
    assert!(
        names(&bench, &by_name, &arm).is_empty(),
        "an update hides it again"
    );
    assert_eq!(
        bench
            .get(&definition(1, &bench.sample.subscription), &arm)
            .0,
        200,
        "but not from those who know its id"
    );
}

#[test]
fn permissions_are_shown() {
    let bench = Bench::new(Lag::None);
    let app = bench.app();
    let vnet = &bench.sample.vnet_id;
    bench.assign(1, vnet, NETWORK_CONTRIBUTOR, &app.principal);
    let token = bench
        .sign_in(&bench.sample.tenant, &app.client, &app.secret, ARM)
        .unwrap();
    let path = |scope: &str| {
        format!("{scope}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01")
    };
    let (_, body) = bench.get(&path(vnet), &token);
    assert!(
        body["value"][0]["actions"]
            .as_array()
            .unwrap()
            .contains(&json!("Microsoft.Network/*"))
    );
    let (_, body) = bench.get(
        &path(&format!("/subscriptions/{}", bench.sample.subscription)),
        &token,
    );
    assert_eq!(body["value"], json!([]));
    assert_eq!(
        bench.get(&path(vnet), &bench.admin(ARM)).1["value"][0]["actions"],
        json!(["*"])
    );
}

#[test]
fn a_role_tells_who_wrote_it_and_when() {
    let bench = Bench::new(Lag::None);
    let path = super::definition(1, &bench.sample.subscription);
    let read = || bench.get(&path, &bench.admin(ARM)).1["properties"].clone();
    let (_, made) = bench.role(1, "aiven", &[PEER]);
    let made = &made["properties"];
    assert_eq!(made["createdBy"], json!(null), "as recorded");
    let author = made["updatedBy"].clone();
    assert!(author.is_string());
    let first = read();
    assert_eq!(
        [&first["createdBy"], &first["updatedBy"]],
        [&author, &author]
    );
    assert_eq!(first["createdOn"], first["updatedOn"]);
    bench.edit(|world| {
        let role = world.roles.iter_mut().find(|role| role.name == "aiven");
        role.unwrap().created_by = Some("a colleague".to_owned());
    });
    let (_, changed) = bench.role(1, "aiven", &[PEER, "*/read"]);
    let second = read();
    assert_eq!(second["createdBy"], "a colleague");
    assert_eq!(second["updatedBy"], author);
    assert_eq!(second["createdOn"], first["createdOn"]);
    assert_ne!(second["updatedOn"], first["updatedOn"]);
    assert_eq!(changed["properties"]["updatedOn"], second["updatedOn"]);
    let list = path.replace(&format!("/{}", super::guid(1)), "");
    let (_, listed) = bench.get(
        &format!("{list}&$filter=roleName eq 'aiven'"),
        &bench.admin(ARM),
    );
    assert_eq!(listed["value"][0]["properties"], second);
}

#[test]
fn locks_and_a_disabled_subscription_forbid_changes_and_no_looks() {
    let bench = Bench::new(Lag::None);
    let arm = bench.admin(ARM);
    let vnet = bench.sample.vnet_id.clone();
    let group = vnet.split("/providers/").next().unwrap().to_lowercase();
    let subscription = format!("/subscriptions/{}", bench.sample.subscription);
    let lock = |level: &str| Lock {
        scope: group.clone(),
        name: "frozen".into(),
        level: level.into(),
    };
    let vendor = bench.vendor();
    let grant = || bench.assign(1, &vnet, READER, &vendor);
    let list =
        format!("{subscription}/providers/Microsoft.Authorization/locks?api-version=2020-05-01");
    assert_eq!(bench.get(&list, &arm).1["value"], json!([]));

    bench.edit(|world| world.locks.push(lock("ReadOnly")));
    assert_eq!(code(&grant()), (409, "ScopeLocked"));
    let shown = bench.get(&list, &arm).1["value"][0].clone();
    assert_eq!(shown["properties"]["level"], "ReadOnly", "{shown}");
    assert_eq!(bench.get(&at(&vnet), &arm).0, 200);

    bench.edit(|world| world.locks = vec![lock("CanNotDelete")]);
    assert_eq!(grant().0, 201);
    let gone = bench.call("DELETE", &assignment(1, &vnet), &arm, None);
    assert_eq!(code(&gone), (409, "ScopeLocked"));

    bench.edit(|world| {
        world.locks.clear();
        world.subscriptions[0].state = State::Disabled;
    });
    assert_eq!(code(&grant()), (409, "ReadOnlyDisabledSubscription"));
    let seen = bench.get("/subscriptions?api-version=2022-12-01", &arm).1;
    assert_eq!(seen["value"][0]["state"], "Disabled", "{seen}");
}
