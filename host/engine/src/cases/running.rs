//! One container: what it is given, who it is, and what stays of it.

use sti_core::{
    Variable,
    plan::{Action, ImageChanges},
};

use super::{
    Bench, Failure, User,
    stage::{Stage, copied, holds_true, mounted, run, same},
};
use crate::Error;

pub(super) async fn leaves_mounted_content_out_of_what_is_committed(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "mounted", User::Numeric).await;
    let source = stage.files(&[("a", "1"), ("sub/b", "2")]);
    let words = "copy /tmp/src/sub/b /app/b then write /tmp/src/new 3 then write /app/c 4";
    let app = stage.commit(words, vec![mounted(source, "/tmp/src")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/b", "2").await?;
    stage.holds(&product, "/app/c", "4").await?;
    for path in ["/tmp/src/a", "/tmp/src/sub", "/tmp/src/new"] {
        stage.lacks(&product, path).await?;
    }
    Ok(())
}

pub(super) async fn hides_what_the_image_has_below_a_mount(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "hidden", User::Numeric).await;
    let first = stage.commit("write /app/data/old 1", vec![]);
    let source = stage.files(&[("new", "2")]);
    let base = sti_core::plan::Base::Step { step: first };
    let words = "absent /app/data/old then copy /app/data/new /app/copy";
    let app = stage.step(base, Action::Run(run(words, vec![mounted(source, "/app/data")])));
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/copy", "2").await?;
    stage.holds(&product, "/app/data/old", "1").await?;
    stage.lacks(&product, "/app/data/new").await
}

pub(super) async fn keeps_copied_content(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "copied", User::Numeric).await;
    let files = stage.files(&[("a", "1"), ("sub/b", "2")]);
    let app = stage.commit("append /opt/data/a 2", vec![copied(files, "/opt/data")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/opt/data/a", "12").await?;
    stage.holds(&product, "/opt/data/sub/b", "2").await
}

pub(super) async fn gives_content_to_the_user_of_the_image(bench: &dyn Bench) -> Result<(), Failure> {
    for user in User::ALL {
        let (uid, gid) = user.ids();
        let mut stage = Stage::new(bench, &format!("users-{uid}"), user).await;
        let identity = stage.engine.identity(&stage.builder).await.map_err(Failure::new)?;
        same("identity", &(identity.uid, identity.gid), &(uid, gid))?;
        let source = stage.files(&[("sub/a", "1")]);
        let words = "append /tmp/src/sub/a 2 then write /tmp/src/own 3 then list /tmp/src /app/list then whoami /app/who";
        let app = stage.commit(words, vec![mounted(source, "/tmp/src")]);
        let product = stage.product(app).await?;
        let listing =
            format!("d 0755 {uid}:{gid} - .\nf 0644 {uid}:{gid} 1 own\nd 0755 {uid}:{gid} - sub\nf 0644 {uid}:{gid} 2 sub/a\n");
        stage.holds(&product, "/app/list", &listing).await?;
        let who = stage.text(&product, "/app/who").await?;
        holds_true(&who, who.starts_with(&format!("uid={uid} gid={gid} ")) && who.ends_with(" cwd=/app\n"))?;
    }
    Ok(())
}

pub(super) async fn runs_as_another_user_and_keeps_the_one_of_the_image(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "other-user", User::Named).await;
    let source = stage.files(&[("a", "1")]);
    let mut other =
        run("append /tmp/src/a 2 then copy /tmp/src/a /tmp/kept then whoami /tmp/who", vec![mounted(source, "/tmp/src")]);
    other.user = Some("2002:2003".to_owned());
    let base = stage.base();
    let app = stage.step(base, Action::Run(other));
    let product = stage.product(app).await?;
    same("user", &product.user.as_str(), &User::Named.written())?;
    stage.holds(&product, "/tmp/kept", "12").await?;
    let who = stage.text(&product, "/tmp/who").await?;
    holds_true(&who, who.starts_with("uid=2002 gid=2003 "))
}

pub(super) async fn hands_variables_and_a_working_directory_to_the_command(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "variables", User::Numeric).await;
    let words = "env WISH /app/wish then env STAYS /app/stays then whoami /app/who";
    let mut with_variables = run(words, vec![]);
    with_variables.environment = vec![Variable::new("WISH", "a=b, \"c\" $d")];
    with_variables.working_directory = Some("/tmp".to_owned());
    let base = stage.base();
    let app = stage.step(base, Action::Run(with_variables));
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/wish", "a=b, \"c\" $d").await?;
    stage.holds(&product, "/app/stays", "yes").await?;
    let who = stage.text(&product, "/app/who").await?;
    holds_true(&who, who.ends_with(" cwd=/tmp\n"))?;
    same("working directory of the product", &product.working_directory.as_str(), &"/app")
}

pub(super) async fn tells_what_a_command_prints(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "prints", User::Root).await;
    let app = stage.commit("print one then eprint two then print three", vec![]);
    stage.product(app).await?;
    let mut lines = stage.told.lines();
    // The order between the two streams is nobody's promise.
    lines.sort();
    same("lines", &lines, &["one", "three", "two"].map(str::to_owned).to_vec())
}

pub(super) async fn takes_labels_that_the_command_left(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "labels", User::Numeric).await;
    let labels = |label: &str, text: &str| {
        let mut left = run(&format!("write /tmp/left/labels.json {text}"), vec![]);
        left.labels_from = Some("/tmp/left/labels.json".to_owned());
        left.transient = vec!["/tmp".to_owned()];
        left.commit = Some(ImageChanges { labels: vec![Variable::new("planned", label)], ..ImageChanges::default() });
        Action::Run(left)
    };
    let base = stage.base();
    let text = r#"{"labels":[{"of.the/file":"a=b"},{"planned":"file"},{"stays":"file"}]}"#;
    let app = stage.step(base.clone(), labels("plan", text));
    let product = stage.product(app).await?;
    let label = |name: &str| product.labels.iter().find(|label| label.name == name).map(|label| label.value.clone());
    for (name, value) in [("of.the/file", "a=b"), ("planned", "plan"), ("stays", "file")] {
        same(name, &label(name).as_deref(), &Some(value))?;
    }
    stage.again();
    let app = stage.step(base, labels("plan", r#"{"labels":{"a":"b"}}"#));
    match stage.try_execute(app).await? {
        Err(Error::LabelsInvalid { path, .. }) => same("path", &path.as_str(), &"/tmp/left/labels.json")?,
        other => return Err(Failure::new(format!("it is not refused: {other:?}"))),
    }
    stage.engine.clean_up().await.map_err(Failure::new)?;
    same("what is left", &stage.left_by(stage.engine.build()).await?, &0)
}
