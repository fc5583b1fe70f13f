//! A strategy of a third party: puts the source into the builder image as one layer, with a list of its files beside it and their
//! number on a label, and runs nothing at all.

use sti_plugin::{Card, EntryKind, Job, Plan, Problem, Pull, Strategy, Tree, log, register_strategy, require};

/// The label that tells how many files there are.
const LABEL: &str = "com.example.label-layers.files";

/// Where the list of files lies.
const INDEX_AT: &str = "/usr/share/label-layers";

/// More files than this are no site but a mistake.
const MOST_FILES: u32 = 10_000;

/// Decides for layers without a container.
struct LabelLayers;

register_strategy!(LabelLayers);

impl Strategy for LabelLayers {
    fn card() -> Card {
        Card::new("label-layers", env!("CARGO_PKG_VERSION"))
            .summary("puts files into an image as one layer, without running anything")
            .homepage("https://example.com/label-layers")
            .setting("at", "where the files go", Some("/srv"))
            .setting("count", "a glob: which files are counted and listed", Some("**"))
            .setting("serve", "the program that is given that place", Some("/usr/bin/run"))
    }

    fn decide(job: &Job, plan: &Plan) -> Result<(), Problem> {
        let at = required(job, "at")?;
        let paths = files(&job.source(), &required(job, "count")?)?;
        log::info(format!("{} files go to {at}", paths.len()));
        let base = require(&job.builder_image(), Pull::AsAsked)?;
        let index = plan.files([("index.txt", 0o644, index(&paths))])?;
        let app = plan
            .assemble(&format!("put {} files into layers", paths.len()), &base)?
            .layer("files", &plan.source(), &at)?
            .layer("index", &index, INDEX_AT)?
            .finish();
        app.command([required(job, "serve")?, at]).environment(job.environment()).label(LABEL, &paths.len().to_string());
        plan.product("app", &app)
    }
}

fn required(job: &Job, setting: &str) -> Result<String, Problem> {
    job.setting(setting).filter(|value| !value.is_empty()).ok_or_else(|| {
        Problem::invalid("setting-empty", format!("the setting `{setting}` is empty")).hint("leave it out, and its default holds")
    })
}

/// Lists the files that match, and neither directories nor links.
fn files(source: &Tree, glob: &str) -> Result<Vec<String>, Problem> {
    let mut files = Vec::new();
    for path in source.find(glob, MOST_FILES + 1)? {
        if source.look_at(&path)?.is_some_and(|entry| entry.kind == EntryKind::File) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(Problem::not_found("no-files", format!("no file of the source matches `{glob}`"))
            .hint("change the glob, such as `--set 'count=**/*.html'`"));
    }
    if files.len() > MOST_FILES as usize {
        return Err(Problem::exhausted("too-many-files", format!("more than {MOST_FILES} files match `{glob}`")));
    }
    Ok(files)
}

fn index(paths: &[String]) -> String {
    paths.iter().map(|path| format!("{path}\n")).collect()
}

#[cfg(test)]
mod tests {
    use sti_plugin::testing::{FakeImage, JobBuilder, MemoryTree};

    use super::LabelLayers;

    fn job() -> JobBuilder {
        let site = MemoryTree::new().file("index.html", "<p>").file("a/b.html", "<p>").file("a/c.css", "p {}").symlink("d", "a");
        JobBuilder::new("static", "site").image(FakeImage::new("static")).source(site)
    }

    #[test]
    fn stacks_layers_and_runs_nothing() {
        let decision = job().setting("at", "/www").environment("PORT", "80").decide::<LabelLayers>();
        assert_eq!(
            decision.expect_plan().to_text(),
            "\
1. assemble `put 3 files into layers` on static
   layer `files`: source at /www
   layer `index`: files index.txt at /usr/share/label-layers
   image command /usr/bin/run /www
   image environment PORT=80
   image label com.example.label-layers.files=3
product app: step 1
"
        );
        assert_eq!(decision.plan.files["index.txt"].1, b"a/b.html\na/c.css\nindex.html\n");
    }

    #[test]
    fn counts_what_the_setting_says() {
        let decision = job().setting("count", "**/*.{html,htm}").decide::<LabelLayers>();
        assert_eq!(decision.expect_plan().steps[0].changes.labels[0].value, "2");
    }

    #[test]
    fn says_when_there_is_nothing_to_count() {
        let decision = job().setting("count", "*.php").decide::<LabelLayers>();
        assert_eq!(decision.expect_problem().code(), "no-files");
        assert_eq!(job().setting("at", "").decide::<LabelLayers>().expect_problem().code(), "setting-empty");
    }
}
