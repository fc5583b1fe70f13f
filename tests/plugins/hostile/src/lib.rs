//! A strategy that attacks its host: `--set attack=NAME` says how, and [`ATTACKS`] lists them all.
//!
//! What would reach beyond the sandbox is aimed at nothing: names of images, tags and secrets that no test makes, and paths that
//! a host must refuse to look at. Attacks by the introduction are features of the crate (`card-…`), for a card is asked before settings.

mod card;
mod exhaustion;
mod overreach;
mod speech;

use sti_plugin::{Card, Job, Plan, Problem, Strategy, register_strategy};

/// One way to attack.
type Attack = fn(&Job, &Plan) -> Result<(), Problem>;

/// Every attack by its name. Those of one file stand together.
const ATTACKS: &[(&str, Attack)] = &[
    // Takes time, memory and handles; must end at a limit, or by a trap that is told.
    ("loop", exhaustion::run_for_ever),
    ("sleep", exhaustion::sleep),
    ("allocate", exhaustion::allocate),
    ("recurse", exhaustion::recurse),
    ("handles", exhaustion::flood_handles),
    ("parts", exhaustion::nest_parts),
    ("plan-flood", exhaustion::flood_plan),
    ("thousand-steps", exhaustion::plan_a_thousand_steps),
    ("ask-flood", exhaustion::flood_questions),
    ("big-file", exhaustion::write_a_big_file),
    ("many-files", exhaustion::write_many_files),
    ("huge-strings", exhaustion::pass_a_huge_string),
    ("panic", exhaustion::panic),
    ("abort", exhaustion::abort),
    ("exit", exhaustion::exit),
    // Wants what it was not granted; must be refused, and nothing may have happened.
    ("other-image", overreach::look_at_another_image),
    ("other-tag", overreach::tag_another_image),
    ("root", overreach::run_as_root),
    ("network", overreach::reach_the_network),
    ("proc-path", overreach::mount_over_proc),
    ("dot-path", overreach::climb_out_by_dots),
    ("socket-path", overreach::mount_over_the_engines_socket),
    ("relative-path", overreach::mount_at_a_relative_path),
    ("capture-proc", overreach::capture_proc),
    ("source-dots", overreach::read_above_the_source),
    ("secret", overreach::take_a_secret),
    ("cache", overreach::take_a_cache),
    ("environment-name", overreach::smuggle_a_variable),
    ("sti-label", overreach::forge_a_label_of_the_host),
    ("product-twice", overreach::declare_a_product_twice),
    ("no-product", overreach::plan_nothing),
    ("no-command", overreach::run_no_command),
    ("ambient", overreach::look_around),
    ("sockets", overreach::open_a_socket),
    // Says what a terminal or a log must not be told as it stands.
    ("log-flood", speech::flood_the_log),
    ("stderr-flood", speech::flood_standard_error),
    ("log-line", speech::say_one_endless_line),
    ("escapes", speech::say_escape_sequences),
    ("forged-lines", speech::forge_lines_of_the_host),
    ("problem", speech::answer_a_forged_problem),
];

/// Attacks as it is told.
struct Hostile;

register_strategy!(Hostile);

impl Strategy for Hostile {
    fn card() -> Card {
        card::card().setting("attack", "which of its attacks", None)
    }

    fn decide(job: &Job, plan: &Plan) -> Result<(), Problem> {
        let wanted = job.setting("attack").unwrap_or_default();
        let Some((_, attack)) = ATTACKS.iter().find(|(name, _)| *name == wanted) else {
            return Err(Problem::invalid("no-such-attack", format!("there is no attack `{wanted}`")).hint(names().join(", ")));
        };
        attack(job, plan)
    }
}

fn names() -> Vec<&'static str> {
    ATTACKS.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use sti_plugin::testing::JobBuilder;

    use super::{Hostile, names};

    #[test]
    fn lists_each_attack_once_and_hints_at_all_of_them() {
        let mut sorted = names();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), names().len());
        let decision = JobBuilder::new("builder", "app").setting("attack", "none").decide::<Hostile>();
        assert_eq!(decision.expect_problem().hinted(), Some(names().join(", ").as_str()));
    }

    #[test]
    fn plans_what_no_grant_covers() {
        let root = JobBuilder::new("builder", "app").image(sti_plugin::testing::FakeImage::new("builder").user("431"));
        let decision = root.setting("attack", "root").decide::<Hostile>();
        assert_eq!(decision.expect_plan().steps[0].user.as_deref(), Some("0:0"));
    }
}
