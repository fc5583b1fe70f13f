//! Images: what they say of themselves, instructions, and layers without any container.

use sti_core::{
    Variable,
    plan::{Action, Assemble, Base, Build, Content, ContentId, Copied, ImageChanges, Instruction, Layer, Network},
};

use super::{
    Bench, Failure, Limit, User,
    stage::{Stage, command, run, same},
};

pub(super) async fn changes_what_is_asked_for_and_keeps_the_rest(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "changes", User::Named).await;
    let app = stage.commit("print done", vec![]);
    let unchanged = stage.product(app).await?;
    let kept = stage.builder.clone();
    same("user", &unchanged.user, &kept.user)?;
    same("command", &unchanged.command, &kept.command)?;
    same("entrypoint", &unchanged.entrypoint, &kept.entrypoint)?;
    same("working directory", &unchanged.working_directory, &kept.working_directory)?;
    let is_kept = |variable: &&Variable| kept.environment.contains(variable);
    let of_the_builder: Vec<_> = unchanged.environment.iter().filter(is_kept).cloned().collect();
    same("variables of the builder", &of_the_builder, &kept.environment)?;
    if !bench.is_limited(Limit::CommitsVariablesOfItsOwn) {
        same("environment", &unchanged.environment, &kept.environment)?;
    }
    same("ports", &unchanged.exposed_ports, &kept.exposed_ports)?;
    same("volumes", &unchanged.volumes, &kept.volumes)?;

    stage.again_as("changed");
    let changes = ImageChanges {
        entrypoint: Some(command("print entry")),
        command: Some(command("print new")),
        environment: vec![Variable::new("NEW", "a b=\"c\" $d"), Variable::new("STAYS", "no")],
        labels: vec![Variable::new("com.example.new", "a \"b\" $c")],
        user: Some("2002:2003".to_owned()),
        working_directory: Some("/tmp".to_owned()),
        expose: vec!["9090/tcp".to_owned()],
    };
    let mut changing = run("print done", vec![]);
    changing.commit = Some(changes.clone());
    let base = stage.base();
    let app = stage.step(base, Action::Run(changing));
    let altered = stage.product(app).await?;
    same("entrypoint", &Some(altered.entrypoint.clone()), &changes.entrypoint)?;
    same("command", &Some(altered.command.clone()), &changes.command)?;
    same("user", &altered.user.as_str(), &"2002:2003")?;
    same("working directory", &altered.working_directory.as_str(), &"/tmp")?;
    same("ports", &altered.exposed_ports, &["8080/tcp", "9090/tcp"].map(str::to_owned).to_vec())?;
    same("a new label", &altered.label("com.example.new"), &Some("a \"b\" $c"))?;
    same("an old label", &altered.label("stays"), &Some("yes"))?;
    let value =
        |name: &str| altered.environment.iter().find(|variable| variable.name == name).map(|variable| variable.value.clone());
    same("a new variable", &value("NEW").as_deref(), &Some("a b=\"c\" $d"))?;
    same("an old variable with a new value", &value("STAYS").as_deref(), &Some("no"))
}

pub(super) async fn carries_instructions_out_in_order(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "instructions", User::Numeric).await;
    let files = stage.files(&[("a b", "1"), ("sub/c", "2")]);
    let copy = |owner: Option<&str>, at: &str| {
        Instruction::Copy(Copied { content: files, at: at.to_owned(), owner: owner.map(str::to_owned) })
    };
    let instructions = vec![
        copy(None, "/tmp/src"),
        copy(Some("2002:2003"), "/tmp/other"),
        Instruction::Run { command: command("append /tmp/src/sub/c 3 then list /tmp/src /app/list") },
        Instruction::Environment(Variable::new("WISH", "a \"b\" $c \\ d")),
        Instruction::WorkingDirectory { path: "/tmp".to_owned() },
        Instruction::Run { command: command("env WISH /app/wish then whoami /app/who") },
        Instruction::User { user: "2002:2003".to_owned() },
        Instruction::Run { command: command("append /tmp/other/sub/c 4") },
    ];
    let changes = ImageChanges { command: Some(command("print built")), user: Some("431".to_owned()), ..ImageChanges::default() };
    let base = stage.base();
    let app = stage.step(base, Action::Build(Build { triggers: None, instructions, network: Network::None, changes }));
    let product = stage.product(app).await?;
    stage.holds(&product, "/tmp/src/sub/c", "23").await?;
    stage.holds(&product, "/tmp/other/sub/c", "24").await?;
    stage.holds(&product, "/tmp/src/a b", "1").await?;
    stage.holds(&product, "/app/wish", "a \"b\" $c \\ d").await?;
    let listing = stage.text(&product, "/app/list").await?;
    same("owner", &listing.lines().nth(1), &Some("f 0644 431:433 1 a\\x20b"))?;
    same("command", &product.command, &command("print built"))?;
    same("user", &product.user.as_str(), &"431")?;
    same("working directory", &product.working_directory.as_str(), &"/tmp")?;
    let value = product.environment.iter().find(|variable| variable.name == "WISH").map(|variable| variable.value.as_str());
    same("variable", &value, &Some("a \"b\" $c \\ d"))
}

fn layer(content: ContentId, at: &str, owner: &str) -> Layer {
    Layer { title: at.to_owned(), copied: Copied { content, at: at.to_owned(), owner: Some(owner.to_owned()) } }
}

pub(super) async fn assembles_an_image_from_nothing(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "scratch", User::Root).await;
    let files = stage.files(&[("a", "1"), ("sub/b", "2")]);
    let part = stage.content(Content::Part { of: files, path: "sub/b".to_owned() });
    let layers = vec![layer(files, "/data", "5:6"), layer(part, "/one", "5:6")];
    let changes =
        ImageChanges { command: Some(vec!["/data/a".to_owned()]), user: Some("5:6".to_owned()), ..ImageChanges::default() };
    let app = stage.step(Base::Scratch, Action::Assemble(Assemble { layers, changes }));
    let product = stage.product(app).await?;
    stage.holds(&product, "/data/sub/b", "2").await?;
    stage.holds(&product, "/one", "2").await?;
    same("command", &product.command, &vec!["/data/a".to_owned()])?;
    same("user", &product.user.as_str(), &"5:6")?;
    stage.lacks(&product, "/usr/bin/fixture").await
}

pub(super) async fn assembles_layers_on_a_base(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "layers", User::Numeric).await;
    let (first, second) = (stage.files(&[("a", "1"), ("b", "1")]), stage.files(&[("b", "2")]));
    let layers = vec![layer(first, "/app/data", "431:433"), layer(second, "/app/data", "431:433")];
    let changes = ImageChanges { labels: vec![Variable::new("com.example.a", "b")], ..ImageChanges::default() };
    let base = stage.base();
    let app = stage.step(base, Action::Assemble(Assemble { layers, changes }));
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/data/a", "1").await?;
    stage.holds(&product, "/app/data/b", "2").await?;
    same("a new label", &product.label("com.example.a"), &Some("b"))?;
    same("an old label", &product.label("stays"), &Some("yes"))?;
    same("user", &product.user, &stage.builder.user)?;
    same("command", &product.command, &stage.builder.command)?;
    stage.again_as("layers-run");
    // What was assembled runs as its base does.
    let base = Base::Image { reference: product.reference.clone(), id: product.id.clone(), user: product.user.clone() };
    let app = stage.step(base, Action::Run(run("append /app/data/a 2", vec![])));
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/data/a", "12").await
}

pub(super) async fn starts_from_the_image_of_an_earlier_step(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "chain", User::Numeric).await;
    let first = stage.commit("write /app/x 1", vec![]);
    let base = Base::Step { step: first };
    let app = stage.step(base, Action::Run(run("append /app/x 2 then whoami /app/who", vec![])));
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/x", "12").await?;
    let who = stage.text(&product, "/app/who").await?;
    same("who it ran as", &who.starts_with("uid=431 gid=433 "), &true)
}
