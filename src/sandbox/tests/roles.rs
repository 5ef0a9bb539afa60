use serde_json::json;

use super::{ARM, Bench, PEER, READER, assignment, at, code, definition, guid, role};
use crate::sandbox::Lag;
use crate::sandbox::faults::{Fault, Faults, When};
use crate::sandbox::world::{Role, Subscription, World};

const HIDDEN: &str = "77c1f0a2-3b4d-4e5f-8a6b-9c0d1e2f3a4b";

fn list(bench: &Bench, scope: &str) -> Vec<String> {
    let path = format!(
        "{scope}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01&$filter=type eq 'CustomRole'"
    );
    let (status, body) = bench.get(&path, &bench.admin(ARM));
    assert_eq!(status, 200, "{body}");
    let items = body["value"].as_array().unwrap().iter();
    items
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

fn ours(world: &mut World) -> &mut Role {
    let ours = world.roles.iter_mut().find(|role| role.name == "aiven");
    ours.unwrap()
}

fn scopes(world: &mut World) -> Vec<String> {
    ours(world).assignable_scopes.clone()
}

#[test]
fn a_deleted_role_goes_on_showing_in_lists() {
    let bench = Bench::new(Lag::Looks(2));
    let arm = bench.admin(ARM);
    let path = definition(1, &bench.sample.subscription);
    bench.role(1, "aiven", &[PEER]);
    assert_eq!(bench.call("DELETE", &path, &arm, None).0, 200);
    assert_eq!(list(&bench, ""), [guid(1)]);
    assert_eq!(
        code(&bench.get(&path, &arm)),
        (404, "RoleDefinitionDoesNotExist")
    );
    let vendor = bench.vendor();
    assert_eq!(
        code(&bench.assign(1, &bench.sample.vnet_id, &guid(1), &vendor)),
        (400, "RoleDefinitionDoesNotExist")
    );
    assert_eq!(list(&bench, ""), [guid(1)]);
    assert!(list(&bench, "").is_empty());
}

#[test]
fn where_a_role_can_be_assigned_spreads() {
    let bench = Bench::new(Lag::Looks(2));
    let arm = bench.admin(ARM);
    let (vendor, vnet) = (bench.vendor(), &bench.sample.vnet_id);
    let tries = |number: u32| {
        let answers = (0..3).map(|_| {
            let answer = bench.assign(number, vnet, &guid(1), &vendor);
            code(&answer).1.to_owned()
        });
        answers.collect::<Vec<_>>()
    };
    let late = "RoleAssignmentScopeNotAssignableToRoleDefinition";
    assert_eq!(bench.role(1, "aiven", &[PEER]).0, 201);
    assert_eq!(tries(1), ["RoleDefinitionDoesNotExist", late, ""]);
    bench.call("DELETE", &assignment(1, vnet), &arm, None);
    let both = bench.edit(|world| [0, 1].map(|at| world.subscriptions[at].id.clone()));
    let both = both.map(|id| format!("/subscriptions/{id}"));
    let wider = role("aiven", &[PEER], &[&both[0], &both[1]]);
    let path = definition(1, &bench.sample.subscription);
    assert_eq!(bench.put(&path, &arm, &wider).0, 201);
    assert_eq!(tries(2), [late, late, ""]);
    bench.call("DELETE", &assignment(2, vnet), &arm, None);
    // The same scopes again are no change of them.
    assert_eq!(bench.put(&path, &arm, &wider).0, 201);
    assert_eq!(tries(3)[0], "");
}

#[test]
fn a_role_of_a_subscription_without_rights_does_not_show_and_holds_its_name() {
    let bench = Bench::new(Lag::None);
    bench.role(1, "aiven", &[PEER]);
    let tenant = bench.sample.tenant.clone();
    bench.edit(|world| {
        world.subscriptions.push(Subscription {
            id: HIDDEN.into(),
            tenant,
            name: "Hidden".into(),
            ..Subscription::default()
        });
        ours(world).assignable_scopes = vec![format!("/subscriptions/{HIDDEN}")];
    });
    assert!(list(&bench, "").is_empty());
    let twin = bench.role(2, "aiven", &[PEER]);
    assert_eq!(code(&twin), (409, "RoleDefinitionWithSameNameExists"));
    // To change a role takes the right at all its scopes.
    let here = format!("/subscriptions/{}", bench.sample.subscription);
    let both = role(
        "aiven",
        &[PEER],
        &[&here, &format!("/subscriptions/{HIDDEN}")],
    );
    let path = definition(1, &bench.sample.subscription);
    let linked = bench.put(&path, &bench.admin(ARM), &both);
    assert_eq!(code(&linked), (403, "LinkedAuthorizationFailed"));
}

#[test]
fn who_had_read_a_role_before_writes_over_it() {
    let bench = Bench::new(Lag::None);
    bench.role(1, "aiven", &[PEER]);
    let here = format!("/subscriptions/{}", bench.sample.subscription);
    let other = bench.edit(|world| format!("/subscriptions/{}", world.subscriptions[1].id));
    let fault = Fault::WrittenOver("/subscriptions/x".into());
    bench.edit(|world| world.faults = Faults::once(When::path("/roleDefinitions/"), fault));
    let wider = role("aiven", &[PEER], &[&here, &other]);
    let path = definition(1, &bench.sample.subscription);
    assert_eq!(bench.put(&path, &bench.admin(ARM), &wider).0, 201);
    assert_eq!(bench.edit(scopes), [&*here, "/subscriptions/x"]);
}

#[test]
fn a_role_may_show_in_an_odd_form() {
    let bench = Bench::new(Lag::None);
    bench.role(1, "aiven", &[PEER]);
    bench.edit(|world| {
        let odd = json!({"description": null});
        ours(world).odd = odd.as_object().unwrap().clone();
    });
    let path = definition(1, &bench.sample.subscription);
    let (_, shown) = bench.get(&path, &bench.admin(ARM));
    assert_eq!(shown["properties"]["description"], json!(null));
}

#[test]
fn a_condition_names_the_roles_that_may_be_assigned() {
    let bench = Bench::new(Lag::None);
    let (app, vnet) = (bench.app(), &bench.sample.vnet_id);
    bench.role(1, "aiven", &[PEER]);
    bench.edit(|world| {
        let all = world.assignments.iter_mut();
        all.for_each(|it| it.may_assign = vec![READER.into()]);
    });
    let refused = bench.assign(1, vnet, &guid(1), &app.principal);
    assert_eq!(code(&refused), (403, "AuthorizationFailed"));
    let message = refused.1["error"]["message"].as_str().unwrap();
    assert!(message.contains("or an ABAC condition not fulfilled"));
    assert_eq!(bench.assign(2, vnet, READER, &app.principal).0, 201);
    assert_eq!(bench.get(&at(vnet), &bench.admin(ARM)).0, 200);
}
