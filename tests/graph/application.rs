//! An import that no person authorised: the application signs in for itself, by its secret or its certificate.

use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use wissel_tests::graph::{House, USER};

use crate::scene::Scene;

const ACCOUNT: &str = "Toepassing";

#[test]
fn an_application_imports_by_its_secret_and_then_by_its_certificate() {
    let house = House::empty(&[]);
    house.add_with_secret(ACCOUNT, "app", &[&format!("mailbox={USER}")]);
    let mut scene = Scene::of(house, ACCOUNT);
    scene.deliver(2);
    assert_eq!(scene.finish(), 6);
    assert_eq!(scene.house.answered("client_credentials", 0), 1);

    let (certificate, key) = (scene.house.wissel.path("app.pem"), scene.house.wissel.path("app-key.pem"));
    let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    let made = CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap();
    std::fs::write(&certificate, made.pem()).unwrap();
    std::fs::write(&key, pair.serialize_pem()).unwrap();
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let secret = |verb: &str, more: &[&str]| {
        scene.house.wissel.run(&[&["account", "secret", verb, ACCOUNT], more].concat())
    };
    secret("add", &["--certificate", certificate, "--key", key, "--label", "certificaat"]).success();
    let unknown = secret("test", &["certificaat"]);
    assert_eq!(unknown.code, Some(4), "{unknown:?}");
    assert!(
        unknown.stderr.contains("AADSTS700027") && unknown.stderr.contains("Upload its public part"),
        "{unknown:?}"
    );
    scene.house.bed.command(&format!("certificate {certificate}"));
    let secret = |verb: &str| {
        scene.house.wissel.run(&["account", "secret", verb, ACCOUNT, "certificaat"]).success();
    };
    secret("test");
    secret("use");
    // The secret is good for nothing any more, and neither is the token that it gave.
    scene.house.bed.command("secret-expired");
    scene.house.bed.command("advance 7200");
    scene.house.ahead(120);
    scene.deliver(1);
    assert_eq!(scene.finish(), 3);
    scene.check_finished();
}
