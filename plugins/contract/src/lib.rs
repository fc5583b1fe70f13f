//! The validator `contract`: tells whether an image can take part in a build by the contract that it follows.
//!
//! It looks at the images before anything is planned, and says everything that is wrong with each:
//!
//! | code | severity | what is the case |
//! |---|---|---|
//! | `prepare-missing`, `assemble-missing`, `run-missing`, `save-artifacts-missing` | failure | there is no such script |
//! | `scripts-elsewhere` | failure | the image says that its scripts of `assemble` are somewhere outside of it |
//! | `…-not-a-file` | failure | there is something else, such as a directory |
//! | `…-not-executable` | failure | the image's user may not execute it |
//! | `entrypoint-swallows-command` | warning | the product's entrypoint will be given the run script |
//! | `triggers-unasked` | note | the image has `ONBUILD` instructions, which are no part of the contract |
//!
//! `save-artifacts` is asked of a builder in an incremental build, and by `prepare` in an extended one. By `assemble` one half of such a
//! build assembles, and the other runs. An entrypoint is a warning and no failure: many entrypoints
//! end by executing the command that they are given, and the build itself runs past them; only the author of the image can know. By
//! the contract `assemble` nothing is said of it: its images have such entrypoints on purpose.
//!
//! A source may bring scripts of `assemble` along, so in a build those of the image are left to the strategy, which knows all places.

use sti_plugin::{
    Card, Finding, Findings, Image, Moment, Problem, Subject, Validator,
    contract::{ASSEMBLE, PREPARE, examine, follows, scripts_directory},
    register_validator,
};

/// The role of the image that source is built in.
const BUILDER: &str = "builder";

/// Judges images by the contract that they follow.
pub struct Contract;

register_validator!(Contract);

impl Validator for Contract {
    fn card() -> Card {
        Card::new("contract", env!("CARGO_PKG_VERSION"))
            .summary("checks that an image has the scripts that a build runs, and that its user may run them")
            .judges(Moment::Image)
    }

    fn validate(subject: &Subject, findings: &Findings) -> Result<(), Problem> {
        let Some(image) = subject.image() else { return Ok(()) };
        let followed = follows(&image, subject.contract().as_deref(), subject.source().as_ref())?;
        let is_by_assemble = followed.contract == &ASSEMBLE;
        if !is_by_assemble && is_left_to_the_strategy(subject, &image)? {
            return Ok(());
        }
        let scripts = if is_by_assemble { scripts_of_assemble(subject, &image) } else { Ok(scripts(subject)) };
        match scripts {
            Err(problem) => findings.add(problem),
            Ok(scripts) => {
                for script in examine(&image, scripts)? {
                    if let Some(problem) = script.problem(&image) {
                        findings.add(problem);
                    }
                }
            }
        }
        let entrypoint = if is_by_assemble { None } else { entrypoint(&image) };
        entrypoint.into_iter().chain(triggers(&image)).for_each(|finding| findings.add(finding));
        Ok(())
    }
}

/// Whether an image may take part in a build without being the one that speaks for a contract: one that is deployed into, since a source
/// may bring the scripts, and one that is built by its `ONBUILD` instructions alone.
fn is_left_to_the_strategy(subject: &Subject, image: &Image) -> Result<bool, Problem> {
    let needs_no_scripts = subject.role() != BUILDER || !image.triggers().is_empty();
    let may_be = subject.source().is_some() && needs_no_scripts && subject.contract().is_none();
    Ok(may_be && image.look_at([PREPARE.build_script()])?.is_empty())
}

/// Lists what must be there by `assemble`; nothing where a source may bring it.
fn scripts_of_assemble(subject: &Subject, image: &Image) -> Result<Vec<String>, Problem> {
    if subject.source().is_some() {
        return Ok(Vec::new());
    }
    let directory = scripts_directory(image)?;
    let is_builder = subject.role() == BUILDER;
    let names = [
        (ASSEMBLE.build, is_builder),
        (ASSEMBLE.run, !is_builder || !subject.is_extended()),
        (ASSEMBLE.save_artifacts, is_builder && subject.is_incremental()),
    ];
    Ok(names.into_iter().filter(|(_, is_needed)| *is_needed).map(|(name, _)| format!("{directory}/{name}")).collect())
}

/// Lists what must be there by `prepare`.
fn scripts(subject: &Subject) -> Vec<String> {
    let mut scripts = vec![PREPARE.build_script(), PREPARE.run_script()];
    if (subject.is_incremental() || subject.is_extended()) && subject.role() == BUILDER {
        scripts.push(PREPARE.save_artifacts_script());
    }
    scripts
}

fn entrypoint(image: &Image) -> Option<Finding> {
    let entrypoint = image.entrypoint();
    let program = entrypoint.first()?;
    let (reference, words, run) = (image.reference(), entrypoint.join(" "), PREPARE.run_script());
    let message =
        format!("`{reference}` has the entrypoint `{words}`, which would be given `{run}` instead of the product being it");
    Some(
        Finding::warning("entrypoint-swallows-command", message).hint(format!(
            "leave it if `{program}` executes its arguments in the end; else reset it in the image: ENTRYPOINT []"
        )),
    )
}

fn triggers(image: &Image) -> Option<Finding> {
    let triggers = image.triggers();
    let first = triggers.first()?;
    let message = format!(
        "`{}` has ONBUILD instructions, such as `{first}`, which are carried out with --allow-onbuild only",
        image.reference()
    );
    Some(
        Finding::note("triggers-unasked", message)
            .hint("do their work in the script that builds, and take them out of the image"),
    )
}
