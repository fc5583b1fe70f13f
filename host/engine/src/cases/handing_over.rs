//! From one step to the next: captures, standard output, files of made images.

use sti_core::plan::{Action, Assemble, Base, Content, Copied, ImageChanges, Layer};

use super::{
    Bench, Failure, User,
    stage::{Stage, copied, holds_true, mounted, run, same},
};
use crate::Error;

const EMPTY: &str = "d 0755 431:433 - .\n";

pub(super) async fn hands_a_captured_directory_over(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "capture", User::Numeric).await;
    let empty = stage.content(Content::Empty);
    let save = stage.run("write /tmp/artifacts/sub/x 1 then mkdir /tmp/artifacts/none", vec![mounted(empty, "/tmp/artifacts")]);
    let artifacts = stage.capture(save, "/tmp/artifacts");
    let words = "append /tmp/artifacts/sub/x 2 then copy /tmp/artifacts/sub/x /app/x then ensure /tmp/artifacts/none";
    let app = stage.commit(words, vec![mounted(artifacts, "/tmp/artifacts")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/x", "12").await?;
    stage.lacks(&product, "/tmp/artifacts/sub").await
}

pub(super) async fn hands_nothing_over_as_an_empty_directory(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "capture-nothing", User::Numeric).await;
    let empty = stage.content(Content::Empty);
    let save = stage.run("print nothing", vec![mounted(empty, "/tmp/artifacts")]);
    let artifacts = stage.capture(save, "/tmp/artifacts");
    let app = stage.commit("list /tmp/in /app/list then write /tmp/in/x 1", vec![mounted(artifacts, "/tmp/in")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/list", EMPTY).await
}

pub(super) async fn tells_a_capture_of_nothing_from_a_part_that_is_not_there(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "capture-none", User::Numeric).await;
    let save = stage.run("write /app/out/x 1", vec![]);
    let nothing = stage.capture(save, "/app/nowhere");
    let app = stage.commit("list /app/in /app/list", vec![copied(nothing, "/app/in")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/list", EMPTY).await?;
    stage.again();
    let save = stage.run("write /app/out/x 1", vec![]);
    let out = stage.capture(save, "/app/out");
    let part = stage.content(Content::Part { of: out, path: "y".to_owned() });
    let app = stage.commit("print never", vec![copied(part, "/app/in")]);
    match stage.try_execute(app).await? {
        Err(Error::NotLeft { path, .. }) => holds_true(&path, path.ends_with('y'))?,
        other => return Err(Failure::new(format!("it is not missed: {other:?}"))),
    }
    stage.engine.clean_up().await.map_err(Failure::new)
}

pub(super) async fn hands_over_what_lies_at_no_mount(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "capture-own", User::Numeric).await;
    let save = stage.run("write /app/saved/x 1", vec![]);
    let saved = stage.capture(save, "/app/saved");
    let app = stage.commit("append /tmp/in/x 2 then copy /tmp/in/x /app/x", vec![mounted(saved, "/tmp/in")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/x", "12").await?;
    stage.lacks(&product, "/app/saved").await
}

pub(super) async fn hands_a_captured_file_over(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "capture-file", User::Numeric).await;
    let make = stage.run("write /app/out/result 1", vec![]);
    let file = stage.capture(make, "/app/out/result");
    let directory = stage.capture(make, "/app/out");
    let part = stage.content(Content::Part { of: directory, path: "result".to_owned() });
    let places = vec![copied(file, "/app/file"), copied(part, "/app/part")];
    let app = stage.commit("append /app/file 2 then append /app/part 3", places);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/file", "12").await?;
    stage.holds(&product, "/app/part", "13").await
}

pub(super) async fn hands_entries_over_by_their_names(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "capture-names", User::Numeric).await;
    let words = "write /app/out/a.jar 1 then write /app/out/b.txt 2 then write /app/out/c.jar/x 3";
    let make = stage.run(words, vec![]);
    let directory = stage.capture(make, "/app/out");
    let jars = stage.content(Content::Matching { of: directory, glob: "*.jar".to_owned() });
    let app = stage.commit("ensure /app/to/c.jar", vec![copied(jars, "/app/to")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/to/a.jar", "1").await?;
    stage.holds(&product, "/app/to/c.jar/x", "3").await?;
    stage.lacks(&product, "/app/to/b.txt").await
}

pub(super) async fn misses_entries_of_which_there_is_none(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "capture-no-names", User::Numeric).await;
    let make = stage.run("write /app/out/b.txt 2", vec![]);
    let directory = stage.capture(make, "/app/out");
    let jars = stage.content(Content::Matching { of: directory, glob: "*.jar".to_owned() });
    let app = stage.commit("print never", vec![copied(jars, "/app/to")]);
    let refused = stage.try_execute(app).await?;
    let is_said = matches!(&refused, Err(Error::NotLeft { path, .. }) if path == "/app/out/*.jar");
    holds_true(&format!("what is missing is said: {refused:?}"), is_said)?;
    stage.engine.clean_up().await.map_err(Failure::new)
}

pub(super) async fn gives_what_was_captured_to_the_next_user(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "capture-user", User::Numeric).await;
    let empty = stage.content(Content::Empty);
    let first = stage.run("write /tmp/build/sub/x 1", vec![mounted(empty, "/tmp/build")]);
    let built = stage.capture(first, "/tmp/build");
    let runtime = stage.image(User::Named).await;
    let words = "list /tmp/src /app/list then append /tmp/src/sub/x 2 then copy /tmp/src/sub/x /app/x";
    let app = stage.step(runtime, Action::Run(run(words, vec![mounted(built, "/tmp/src")])));
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/x", "12").await?;
    stage.holds(&product, "/app/list", "d 0755 1001:1002 - .\nd 0755 1001:1002 - sub\nf 0644 1001:1002 1 sub/x\n").await
}

pub(super) async fn reads_standard_output_as_a_tar(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "output", User::Numeric).await;
    let save = stage.run("write /app/t/sub/x 1 then link sub/x /app/t/l then tar /app/t", vec![]);
    let output = stage.content(Content::Output { step: save });
    let words = "list /tmp/artifacts /app/list then append /tmp/artifacts/sub/x 2 then copy /tmp/artifacts/sub/x /app/x";
    let app = stage.commit(words, vec![mounted(output, "/tmp/artifacts")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/x", "12").await?;
    let listing = "d 0755 431:433 - .\nl 0777 431:433 sub/x l\nd 0755 431:433 - sub\nf 0644 431:433 1 sub/x\n";
    stage.holds(&product, "/app/list", listing).await?;
    holds_true("a tar is not shown to people", stage.told.lines().is_empty())
}

pub(super) async fn takes_empty_output_for_an_empty_directory(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "output-nothing", User::Numeric).await;
    let save = stage.run("write /app/x 1", vec![]);
    let output = stage.content(Content::Output { step: save });
    let app = stage.commit("list /tmp/artifacts /app/list", vec![mounted(output, "/tmp/artifacts")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/list", EMPTY).await
}

pub(super) async fn refuses_output_that_is_no_tar(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "output-text", User::Numeric).await;
    let save = stage.run("print this-is-text-and-no-archive", vec![]);
    let output = stage.content(Content::Output { step: save });
    let app = stage.commit("print never", vec![mounted(output, "/tmp/artifacts")]);
    holds_true("it is refused", stage.try_execute(app).await?.is_err())?;
    stage.engine.clean_up().await.map_err(Failure::new)?;
    same("what is left", &stage.left_by(stage.engine.build()).await?, &0)
}

pub(super) async fn hands_files_of_a_made_image_over(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "image-files", User::Numeric).await;
    let first = stage.commit("write /app/out/sub/x 1", vec![]);
    let files = stage.content(Content::ImageFiles { step: first, path: "/app/out".to_owned() });
    let app = stage.commit("append /tmp/in/sub/x 2 then copy /tmp/in/sub/x /app/x", vec![mounted(files, "/tmp/in")]);
    let product = stage.product(app).await?;
    stage.holds(&product, "/app/x", "12").await?;
    stage.lacks(&product, "/app/out").await
}

pub(super) async fn builds_in_one_image_and_delivers_in_another(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "extended", User::Numeric).await;
    let source = stage.files(&[("main", "1")]);
    let (artifacts, left_in) = (stage.content(Content::Empty), stage.content(Content::Empty));
    let places = vec![mounted(source, "/tmp/src"), mounted(artifacts, "/tmp/artifacts"), mounted(left_in, "/tmp/build")];
    let build = stage.commit("copy /tmp/src/main /tmp/build/app then append /tmp/build/app 2 then write /app/cache 3", places);
    let captured = stage.capture(build, "/tmp/build");
    let runtime = stage.image(User::Numeric).await;
    let words = "copy /tmp/src/app /app/app then append /app/app 4";
    let app = stage.step(runtime, Action::Run(run(words, vec![mounted(captured, "/tmp/src")])));
    let outcome = stage.execute(app).await?;
    let sibling = stage.tag.sibling("build").map_err(Failure::new)?;
    for (step, tag) in [(build, &sibling), (app, &stage.tag)] {
        let image = outcome.images.get(&step).ok_or_else(|| Failure::new("a step has no image"))?;
        stage.engine.tag(image, tag).await.map_err(Failure::new)?;
    }
    let image = stage.find(&sibling).await?.ok_or_else(|| Failure::new("the first product is not there"))?;
    stage.holds(&image, "/app/cache", "3").await?;
    for path in ["/tmp/build/app", "/tmp/src/main", "/app/app"] {
        stage.lacks(&image, path).await?;
    }
    let product = stage.find(&stage.tag).await?.ok_or_else(|| Failure::new("the product is not there"))?;
    stage.holds(&product, "/app/app", "124").await?;
    stage.lacks(&product, "/app/cache").await?;
    stage.engine.clean_up().await.map_err(Failure::new)
}

pub(super) async fn joins_steps_that_do_not_depend_on_each_other(bench: &dyn Bench) -> Result<(), Failure> {
    let mut stage = Stage::new(bench, "side-by-side", User::Numeric).await;
    let mut layers = Vec::new();
    for name in ["one", "two", "three"] {
        let step = stage.run(&format!("sleep 0.2 then write /app/{name}/file {name}"), vec![]);
        let content = stage.capture(step, &format!("/app/{name}"));
        let copied = Copied { content, at: format!("/opt/{name}"), owner: Some("5:6".to_owned()) };
        layers.push(Layer { title: name.to_owned(), copied });
    }
    let changes = ImageChanges { user: Some("5:6".to_owned()), ..ImageChanges::default() };
    let action = Action::Assemble(Assemble { layers, changes });
    let app = stage.step(Base::Scratch, action);
    let product = stage.product(app).await?;
    for name in ["one", "two", "three"] {
        stage.holds(&product, &format!("/opt/{name}/file"), name).await?;
    }
    Ok(())
}
