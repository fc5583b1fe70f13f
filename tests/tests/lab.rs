//! The lab itself: what the other tests rely on, without `sti`.

use serde_json::json;
use sti_tests::{Builder, Lab, needs_engine};

#[test]
fn a_builder_image_runs_the_verbs_of_its_scripts_as_its_user() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(
        Builder::new()
            .account("worker", 431, 433)
            .user("worker")
            .config("ENV COLOUR=blue")
            .script("show", "whoami -\nenv COLOUR -\neprint to-stderr\nwrite /app/made 'by hand'\ncat /app/made\nexit 4")
            .config(r#"CMD ["/usr/bin/show"]"#),
    );
    let ended = lab.run(&builder);
    assert_eq!(ended.code, 4);
    assert_eq!(ended.output.stdout, "uid=431 gid=433 groups=433 cwd=/\nblueby hand");
    assert_eq!(ended.output.stderr, "to-stderr\n");
}

#[test]
fn what_is_left_of_a_lab_is_seen() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(Builder::new().run("print hello"));
    lab.assert_nothing_left();
    let labels = json!({ "sti.build": "0123456789abcdef" });
    let request = json!({ "Image": builder, "Cmd": ["/usr/bin/run"], "Labels": labels, "HostConfig": { "Mounts": [
        { "Type": "volume", "Target": "/data", "VolumeOptions": { "Labels": labels } }
    ] } });
    let id = lab.engine().create_container(&request).unwrap();
    let left = lab.leftovers().unwrap();
    assert!(left.len() == 2 && left[0].contains(&id) && left[1].starts_with("volume"), "{left:?}");
    lab.engine().remove_container(&id).unwrap();
    lab.assert_nothing_left();
}

#[test]
fn files_can_be_read_out_of_an_image() {
    needs_engine!();
    let lab = Lab::new();
    let builder = lab.builder(
        Builder::new().user("7").directory("/var", 0o750).file("/var/motd", 0o644, "welcome").link("/var/other", "motd"),
    );
    assert_eq!(lab.product_file(&builder, "/var/motd").as_deref(), Some("welcome"));
    assert_eq!(lab.product_file(&builder, "/var/nothing"), None);
    let listed = lab.run_verbs(&builder, "list /var -").output.stdout;
    assert_eq!(listed, "d 0750 7:0 - .\nf 0644 0:0 7 motd\nl 0777 0:0 motd other\n");
}
