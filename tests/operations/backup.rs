//! Backup and restore: the file opens no secret by itself, damage is found, nothing is imported twice afterwards, and
//! a restore that is killed leaves the old installation or the new one.

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use wissel_tests::corpus;
use wissel_tests::dovecot::{ALICE, Options, PASSWORD};
use wissel_tests::observer::{SINK, Tokens};
use wissel_tests::scene::Scene;
use wissel_tests::wissel::Wissel;

use crate::office::{Office, SECRETS};

const PASSPHRASE: &str = "vier losse woorden samen";

fn backup(office: &mut Office) -> PathBuf {
    office.wissel.set("PASSPHRASE", PASSPHRASE);
    let file = office.wissel.path("today.backup");
    let _ = fs::remove_file(&file);
    office.run(&["backup", "create", file.to_str().unwrap(), "--passphrase-env", "PASSPHRASE"]).success();
    file
}

fn restore(wissel: &Wissel, file: &str, more: &[&str]) -> wissel_tests::wissel::Output {
    wissel.run(&[&["restore", file, "--passphrase-env", "PASSPHRASE"], more].concat())
}

fn names(office: &Office) -> Vec<String> {
    let accounts = office.json(&["account", "list"]);
    let name = |account: &Value| account["name"].as_str().unwrap().to_owned();
    accounts["accounts"].as_array().unwrap().iter().map(name).collect()
}

#[test]
fn a_backup_opens_in_another_home_and_the_file_alone_gives_nothing_away() {
    let mut office = Office::new();
    office.add_client();
    let file = backup(&mut office);
    let octets = fs::read(&file).unwrap();
    let key = fs::read(office.wissel.path("vault.key")).unwrap();
    let holds = |what: &[u8]| octets.windows(what.len()).any(|window| window == what);
    assert!(!holds(&key) && !holds(hex::encode(&key).as_bytes()), "the key stands in the backup");
    assert!(SECRETS.iter().all(|secret| !holds(secret.as_bytes())) && !holds(PASSPHRASE.as_bytes()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let checked = office.json(&["backup", "check", file.to_str().unwrap(), "--passphrase-env", "PASSPHRASE"]);
    assert_eq!((&checked["sound"], &checked["secrets_opened"]), (&true.into(), &4.into()));
    // A second one does not take the first one's place.
    let again = office.run(&["backup", "create", file.to_str().unwrap(), "--passphrase-env", "PASSPHRASE"]);
    assert_eq!(again.code, Some(1), "{again:?}");

    let mut other = Office { wissel: Wissel::new() };
    other.wissel.set("WISSEL_LANG", "en");
    other.wissel.set("PASSPHRASE", "een andere wachtzin");
    let wrong = restore(&other.wissel, file.to_str().unwrap(), &[]);
    assert_eq!(wrong.code, Some(6), "{wrong:?}");
    assert!(wrong.stderr.contains("passphrase"), "{wrong:?}");
    assert!(!other.wissel.path("wissel.db").exists() && !other.wissel.path("restore.new").exists());
    other.wissel.set("PASSPHRASE", PASSPHRASE);
    restore(&other.wissel, file.to_str().unwrap(), &[]).success();
    assert_eq!(names(&other), ["Een", "Twee"]);
    other.assert_opens(4);
    other.run(&["vault", "rotate"]).success();
    other.assert_opens(4);
}

#[test]
fn a_damaged_or_shortened_backup_is_refused_wherever_it_is_damaged() {
    let mut office = Office::new();
    let file = backup(&mut office);
    let whole = fs::read(&file).unwrap();
    let spoiled = office.wissel.path("spoiled.backup");
    let check = |octets: &[u8]| {
        fs::write(&spoiled, octets).unwrap();
        office.run(&["backup", "check", spoiled.to_str().unwrap(), "--passphrase-env", "PASSPHRASE"])
    };
    check(&whole).success();
    let manifest = whole.windows(8).rposition(|window| window == b"\"format\"").unwrap();
    for at in [10, 600, whole.len() / 2, manifest + 40] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        let refused = check(&damaged);
        assert_eq!(refused.code, Some(1), "octet {at}: {refused:?}");
        assert!(refused.stderr.contains("damaged"), "octet {at}: {refused:?}");
    }
    for length in [0, 512, whole.len() / 2, manifest] {
        let refused = check(&whole[..length]);
        assert_eq!(refused.code, Some(1), "cut at {length}: {refused:?}");
    }
}

/// An archive with these entries, in this order.
fn archive(entries: &[(&str, &[u8], tar::EntryType)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, octets, kind) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_size(octets.len() as u64);
        header.set_entry_type(*kind);
        builder.append_data(&mut header, name, *octets).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn an_archive_that_says_something_twice_or_out_of_order_is_refused() {
    use tar::EntryType::{GNUSparse, Regular, Symlink};
    let mut office = Office::new();
    let file = backup(&mut office);
    let mut parts = Vec::new();
    for entry in tar::Archive::new(fs::File::open(file).unwrap()).entries().unwrap() {
        let mut octets = Vec::new();
        entry.unwrap().read_to_end(&mut octets).unwrap();
        parts.push(octets);
    }
    let [database, manifest, seal] = [&*parts[0], &*parts[1], &*parts[2]];
    let longer = [database, database].concat();
    let (database, manifest, seal) = (
        ("wissel.db", database, Regular),
        ("manifest.json", manifest, Regular),
        ("manifest.sha256", seal, Regular),
    );
    let spoiled = office.wissel.path("spoiled.backup");
    let check = |entries: &[(&str, &[u8], tar::EntryType)]| {
        fs::write(&spoiled, archive(entries)).unwrap();
        office.run(&["backup", "check", spoiled.to_str().unwrap(), "--passphrase-env", "PASSPHRASE"])
    };
    check(&[database, manifest, seal]).success();
    let cases: [&[_]; 6] = [
        &[("wissel.db", longer.as_slice(), Regular), database, manifest, seal],
        &[database, manifest, manifest, seal],
        &[manifest, database, seal],
        &[database, manifest, seal, ("vault.key", &[7; 32], Regular)],
        &[("wissel.db", database.1, Symlink), manifest, seal],
        &[("wissel.db", database.1, GNUSparse), manifest, seal],
    ];
    for (number, case) in cases.into_iter().enumerate() {
        let refused = check(case);
        assert_eq!(refused.code, Some(1), "case {number}: {refused:?}");
        assert!(refused.stderr.contains("damaged"), "case {number}: {refused:?}");
    }
}

#[test]
fn a_key_that_the_operator_gives_is_not_put_on_the_disk_by_a_restore() {
    let mut office = Office::new();
    let file = backup(&mut office);
    let key = hex::encode(fs::read(office.wissel.path("vault.key")).unwrap());
    let mut other = Office { wissel: Wissel::new() };
    other.wissel.set("WISSEL_LANG", "en");
    other.wissel.set("PASSPHRASE", PASSPHRASE);
    other.wissel.set("WISSEL_VAULT_KEY", hex::encode([7; 32]));
    let said = restore(&other.wissel, file.to_str().unwrap(), &[]).success();
    assert!(said.stderr.contains("WISSEL_VAULT_KEY holds another one"), "{said:?}");
    assert!(other.wissel.path("vault.key").exists());

    let mut same = Office { wissel: Wissel::new() };
    same.wissel.set("PASSPHRASE", PASSPHRASE);
    same.wissel.set("WISSEL_VAULT_KEY", key);
    same.wissel.set("WISSEL_LANG", "en");
    restore(&same.wissel, file.to_str().unwrap(), &[]).success();
    assert!(!same.wissel.path("vault.key").exists());
    same.assert_opens(2);
    same.add("Drie", SECRETS[0]).success();
}

#[test]
fn a_backup_beside_a_rotation_holds_the_key_that_opens_it() {
    let mut office = Office::new();
    office.wissel.set("PASSPHRASE", PASSPHRASE);
    let done = AtomicBool::new(false);
    let rotated = std::thread::scope(|scope| {
        let rotations = scope.spawn(|| {
            let mut rotated = 0;
            while !done.load(Ordering::Relaxed) {
                // Turned away while a copy is made.
                let output = office.run(&["vault", "rotate"]);
                assert!(matches!(output.code, Some(0 | 5)), "{output:?}");
                rotated += u32::from(output.code == Some(0));
            }
            rotated
        });
        let tried = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for round in 0..10 {
                let file = office.wissel.path(&format!("{round}.backup"));
                let file = file.to_str().unwrap();
                let made = office.json(&["backup", "create", file, "--passphrase-env", "PASSPHRASE"]);
                assert_eq!(made["of_another_key"], 0, "{made}");
                let checked = office.json(&["backup", "check", file, "--passphrase-env", "PASSPHRASE"]);
                assert_eq!(checked["secrets_opened"], 2, "{checked}");
            }
        }));
        done.store(true, Ordering::Relaxed);
        let rotated = rotations.join().unwrap();
        tried.unwrap();
        rotated
    });
    assert!(rotated > 0);
}

#[test]
fn a_home_that_is_used_is_replaced_only_on_demand_and_kept_aside() {
    let mut office = Office::new();
    let file = backup(&mut office);
    let file = file.to_str().unwrap();
    office.add("Later", SECRETS[0]).success();
    let refused = restore(&office.wissel, file, &[]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("--force"), "{refused:?}");
    assert_eq!(names(&office).len(), 3);
    // Not under a service that runs.
    let mut service = office.wissel.spawn(&["run"]);
    while !office.wissel.path("locks/home.lock").exists() || !started(&office) {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let busy = restore(&office.wissel, file, &["--force"]);
    assert_eq!(busy.code, Some(5), "{busy:?}");
    service.terminate();
    assert!(service_ended(&mut service));
    let restored = restore(&office.wissel, file, &["--force", "--json"]).success().json();
    assert_eq!(names(&office), ["Een", "Twee"]);
    office.assert_opens(2);
    let aside = PathBuf::from(restored["kept_aside"].as_str().unwrap());
    assert!(aside.join("wissel.db").exists() && aside.join("vault.key").exists());
}

/// The service has opened its database: its shared memory is there.
fn started(office: &Office) -> bool {
    office.wissel.path("wissel.db-shm").exists()
}

fn service_ended(service: &mut wissel_tests::wissel::Running) -> bool {
    for _ in 0..600 {
        if !service.is_running() {
            return true;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    false
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_installation_or_the_new_one() {
    let mut origin = Office::new();
    origin.add_client();
    for point in ["restore-staged", "restore-ready", "restore-aside", "restore-database", "restore-key"] {
        let mut office = origin.copy();
        let file = backup(&mut office);
        office.run(&["vault", "rotate"]).success();
        office.add("Later", SECRETS[0]).success();
        let command = ["restore", file.to_str().unwrap(), "--passphrase-env", "PASSPHRASE", "--force"];
        office.dies_at(point, &command);
        // The database and the key that stand there belong together.
        let (expected, secrets) = if point == "restore-staged" { (3, 5) } else { (2, 4) };
        office.assert_opens(secrets);
        assert!(!office.wissel.path("restore.new").exists(), "a key lies in what was staged");
        assert_eq!(names(&office).len(), expected, "{point}");
        office.run(&command).success();
        office.assert_opens(4);
        assert!(!office.wissel.path("restore.ready").exists() && !office.wissel.path("restore.new").exists());
    }
}

#[test]
fn a_backup_of_a_newer_version_is_refused_and_nothing_changes() {
    let mut office = Office::new();
    let file = backup(&mut office);
    let folder = office.wissel.path("unpacked");
    let python = "import sys, tarfile, hashlib, json, io, os, sqlite3\n\
        src, dst, tmp = sys.argv[1:]\n\
        os.mkdir(tmp)\n\
        t = tarfile.open(src)\n\
        db = os.path.join(tmp, 'wissel.db')\n\
        open(db, 'wb').write(t.extractfile('wissel.db').read())\n\
        m = json.load(t.extractfile('manifest.json'))\n\
        c = sqlite3.connect(db)\n\
        c.execute(\"INSERT INTO _sqlx_migrations (version, description, installed_on, success, checksum, execution_time) VALUES (99990101000000, 'later', CURRENT_TIMESTAMP, 1, x'00', 0)\")\n\
        c.commit(); c.close()\n\
        d = open(db, 'rb').read()\n\
        m['database'] = {'octets': len(d), 'sha256': hashlib.sha256(d).hexdigest()}\n\
        m['key'] = None\n\
        text = json.dumps(m).encode()\n\
        o = tarfile.open(dst, 'w')\n\
        for name, octets in (('wissel.db', d), ('manifest.json', text), ('manifest.sha256', hashlib.sha256(text).hexdigest().encode())):\n\
        \ti = tarfile.TarInfo(name); i.size = len(octets); o.addfile(i, io.BytesIO(octets))\n\
        o.close()\n";
    let newer = office.wissel.path("newer.backup");
    let done = std::process::Command::new("python3")
        .args(["-c", python])
        .args([&file, &newer, &folder])
        .status()
        .unwrap();
    assert!(done.success());
    let refused = restore(&office.wissel, newer.to_str().unwrap(), &["--force"]);
    assert_eq!(refused.code, Some(6), "{refused:?}");
    assert!(refused.stderr.contains("newer version"), "{refused:?}");
    office.assert_opens(2);
}

#[test]
fn after_a_restore_nothing_is_imported_before_the_operator_has_decided() {
    let mut scene = Scene::start(&Options::default());
    scene.wissel.set("PASSPHRASE", PASSPHRASE);
    let old = corpus::messages(1, 5);
    scene.server.deliver(ALICE, "INBOX", &old);
    scene.job("J", &["--folder", "INBOX", "--action", "leave", "--every", "1s"]);
    assert_eq!(scene.import("J"), 5);
    let file = scene.wissel.path("today.backup");
    let file = file.to_str().unwrap().to_owned();
    scene.run(&["backup", "create", &file, "--passphrase-env", "PASSPHRASE"]).success();
    let since = corpus::messages(2, 3);
    scene.server.deliver(ALICE, "INBOX", &since);
    assert_eq!(scene.import("J"), 3);

    let said = scene.run(&["restore", &file, "--passphrase-env", "PASSPHRASE", "--force"]).success();
    assert!(said.stderr.contains("would come again") && said.stderr.contains("job baseline"), "{said:?}");
    for command in [&["job", "run", "J"][..], &["job", "run", "J", "--json"]] {
        let refused = scene.run(command);
        assert_eq!(refused.code, Some(1), "{refused:?}");
    }
    assert!(!scene.run(&["job", "run", "--all"]).stdout.contains("imported"));
    let doctor = scene.run(&["doctor", "--offline"]).stdout;
    assert!(doctor.contains("came back with the backup of"), "{doctor}");
    assert_eq!(Tokens::in_sink(&scene.sink("J")).different(SINK), 8);
    scene.run(&["job", "baseline", "J"]).success();
    scene.run(&["job", "edit", "J", "--enable"]).success();
    assert_eq!(scene.import("J"), 0);
    let new = corpus::messages(3, 2);
    scene.server.deliver(ALICE, "INBOX", &new);
    assert_eq!(scene.import("J"), 2);
    let all: Vec<_> = [old, since, new].concat();
    Tokens::in_sink(&scene.sink("J")).assert_each_once(&corpus::tokens(&all), SINK);
    assert!(!said.stderr.contains(PASSWORD));
}

#[test]
fn a_backup_is_taken_while_a_service_imports() {
    let mut scene = Scene::start(&Options::default());
    scene.wissel.set("PASSPHRASE", PASSPHRASE);
    scene.server.deliver(ALICE, "INBOX", &corpus::messages(5, 200));
    scene.job("J", &["--folder", "INBOX", "--action", "leave", "--every", "1s"]);
    let mut service = scene.wissel.spawn(&["run"]);
    for round in 0..5 {
        let file = scene.wissel.path(&format!("{round}.backup"));
        let file = file.to_str().unwrap();
        scene.run(&["backup", "create", file, "--passphrase-env", "PASSPHRASE"]).success();
        let checked =
            scene.run(&["backup", "check", file, "--passphrase-env", "PASSPHRASE", "--json"]).success();
        assert_eq!(checked.json()["secrets_opened"], 1);
    }
    assert!(service.is_running());
}
