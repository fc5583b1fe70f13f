//! Attacks that take time, memory and handles, or end the plugin where it stands.
//!
//! Several memories cannot be written in Rust, whose components have one each; the sum over memories is tested in the sandbox.

use std::hint::black_box;

use sti_plugin::{Job, Made, Plan, Problem, Pull, Scratch, find};

/// Calls nothing and never ends.
pub(crate) fn run_for_ever(_: &Job, _: &Plan) -> Result<(), Problem> {
    loop {
        black_box(0);
    }
}

/// Sleeps for an hour inside of the host, where no instruction is counted.
pub(crate) fn sleep(_: &Job, _: &Plan) -> Result<(), Problem> {
    std::thread::sleep(std::time::Duration::from_secs(3600));
    Err(Problem::internal("not-stopped", "slept for an hour"))
}

/// Takes memory until there is none.
pub(crate) fn allocate(_: &Job, _: &Plan) -> Result<(), Problem> {
    let mut taken: Vec<Vec<u8>> = Vec::new();
    loop {
        taken.push(black_box(vec![1; 1 << 20]));
    }
}

/// Uses up the stack.
pub(crate) fn recurse(_: &Job, _: &Plan) -> Result<(), Problem> {
    fn deeper(depth: u64) -> u64 {
        let frame = black_box([depth; 64]);
        if depth == u64::MAX { 0 } else { deeper(depth + 1) + frame[usize::try_from(depth % 64).unwrap_or(0)] }
    }
    Err(Problem::internal("not-stopped", format!("went {} deep", deeper(0))))
}

/// Takes handles of the host and gives none back.
pub(crate) fn flood_handles(_: &Job, plan: &Plan) -> Result<(), Problem> {
    loop {
        std::mem::forget(plan.source());
    }
}

/// Takes parts of parts of parts.
pub(crate) fn nest_parts(_: &Job, plan: &Plan) -> Result<(), Problem> {
    let mut content = plan.source();
    loop {
        content = content.part("a")?;
    }
}

/// Writes a plan of a million steps.
pub(crate) fn flood_plan(_: &Job, plan: &Plan) -> Result<(), Problem> {
    plan_steps(plan, 1_000_000)
}

/// Writes a plan of a thousand steps, which is no flood, and still more than anybody means.
pub(crate) fn plan_a_thousand_steps(_: &Job, plan: &Plan) -> Result<(), Problem> {
    plan_steps(plan, 1_000)
}

fn plan_steps(plan: &Plan, number: u32) -> Result<(), Problem> {
    let step = |title: u32| -> Result<Made, Problem> { Ok(plan.assemble(&format!("step {title}"), Scratch)?.finish()) };
    let mut last = step(0)?;
    for title in 1..number {
        last = step(title)?;
    }
    plan.product("app", &last)
}

/// Asks the host the same again and again.
pub(crate) fn flood_questions(job: &Job, _: &Plan) -> Result<(), Problem> {
    loop {
        find(&job.builder_image(), Pull::Never)?;
    }
}

/// Writes a file larger than all files of a plan together may be.
pub(crate) fn write_a_big_file(_: &Job, plan: &Plan) -> Result<(), Problem> {
    let files = plan.files([("big", 0o644, vec![b'a'; 5 << 20])])?;
    deliver(plan, plan.assemble("write a big file", Scratch)?.layer("big", &files, "/big")?.finish())
}

/// Writes more files than fit into a plan, each for itself small enough.
pub(crate) fn write_many_files(_: &Job, plan: &Plan) -> Result<(), Problem> {
    let mut assembly = plan.assemble("write many files", Scratch)?;
    for number in 0..64 {
        let files = plan.files([(format!("file-{number}"), 0o644, vec![b'a'; 1 << 20])])?;
        assembly = assembly.layer("some", &files, format!("/{number}"))?;
    }
    deliver(plan, assembly.finish())
}

/// Passes a title of many megabytes.
pub(crate) fn pass_a_huge_string(_: &Job, plan: &Plan) -> Result<(), Problem> {
    deliver(plan, plan.assemble(&"title ".repeat(4 << 20), Scratch)?.finish())
}

/// Panics, with a text that must reach the user.
pub(crate) fn panic(_: &Job, _: &Plan) -> Result<(), Problem> {
    panic!("the plugin has lost its way");
}

/// Traps without a word.
pub(crate) fn abort(_: &Job, _: &Plan) -> Result<(), Problem> {
    std::process::abort()
}

/// Pretends that the whole program ended well.
pub(crate) fn exit(_: &Job, _: &Plan) -> Result<(), Problem> {
    std::process::exit(0)
}

pub(crate) fn deliver(plan: &Plan, app: Made) -> Result<(), Problem> {
    app.command(["/usr/bin/run"]);
    plan.product("app", &app)
}
