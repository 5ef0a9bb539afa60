//! Where the tenant forbids passwords: the script that is printed for a certificate connects, and the one that mints a password
//! says what to do.

use super::{
    native,
    person::Person,
    plain,
    shape::{assert_same, shape},
    support::Cloud,
};
use peer_wizard::{provider::Provider, providers, sandbox::Lag};

const PROJECT: &Provider = &providers::aiven::PROJECT;

#[test]
#[ignore = "needs PyPI; run by .ci/run"]
fn its_script_signs_in_with_a_certificate() {
    let (_, _, goal) = native(PROJECT, &plain(), &|_| ());
    let cloud = Cloud::with(Lag::Timed(1.0));
    let person = Person::sign_in(&cloud, PROJECT);
    cloud
        .sandbox
        .edit(|world| world.policies.no_passwords = true);
    let (before, fresh) = (cloud.world(), cloud.copy());

    let mut args = person.connect_args();
    let script = person.print(&args);
    let refused = person.try_run("mints a password", &script, &[]);
    assert_eq!(refused.code, Some(1), "{}", refused.said);
    let told = refused.said.contains("--credential certificate");
    assert!(told, "{}", refused.said);

    cloud.restore(&fresh);
    args.extend(["--credential", "certificate"].map(str::to_owned));
    let ran = person.run("makes a certificate", &person.print(&args));
    assert!(ran.said.ends_with("Connected.\n"), "{}", ran.said);
    assert_same("connected", &shape(&cloud, &before, PROJECT), &goal);
    let home = std::fs::read_dir(person.env.path("home")).expect("a home");
    let left: Vec<_> = home.flatten().map(|it| it.file_name()).collect();
    let key = |name: &std::ffi::OsString| name.to_string_lossy().ends_with(".pem");
    assert!(!left.iter().any(key), "a key is left: {left:?}");
}
