//! Strategies: how a source becomes images.

use crate::{Card, Job, Plan, Problem, host, panic::report_panics};

/// Decides how a source becomes images, by writing a plan. Registered by [`register_strategy!`](crate::register_strategy).
///
/// ```
/// use sti_plugin::{Card, Job, Plan, Problem, Pull, Strategy, contract::PREPARE, register_strategy, require};
///
/// struct Simple;
///
/// impl Strategy for Simple {
///     fn card() -> Card {
///         Card::new("simple", "0.1.0").summary("runs prepare and commits")
///     }
///
///     fn decide(job: &Job, plan: &Plan) -> Result<(), Problem> {
///         let builder = require(&job.builder_image(), Pull::AsAsked)?;
///         let app = plan
///             .run("prepare", &builder)?
///             .command([PREPARE.build_script()])
///             .mount(&plan.source(), PREPARE.source_at())?
///             .environment(job.environment())
///             .commit();
///         app.command([PREPARE.run_script()]).environment(job.environment());
///         plan.product("app", &app)
///     }
/// }
///
/// register_strategy!(Simple);
/// ```
pub trait Strategy {
    /// Introduces the plugin. Asked without any grant, before everything else: it looks at nothing.
    fn card() -> Card;

    /// Writes the plan for a job. An error is shown to the user as it stands; nothing has happened then.
    fn decide(job: &Job, plan: &Plan) -> Result<(), Problem>;
}

/// Makes a component of a crate: exports a type as its strategy. Write it once, at the top of `lib.rs`; see [`Strategy`] for an example.
#[macro_export]
macro_rules! register_strategy {
    ($strategy:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::{host, strategy};

            struct Exported;

            impl strategy::exports::sti::plugin::strategy::Guest for Exported {
                fn describe(card: &host::requests::Card) {
                    $crate::exports::describe_strategy::<$strategy>(card);
                }

                fn decide(job: &host::requests::Job, plan: &host::plans::Plan) -> Result<(), host::types::Problem> {
                    $crate::exports::decide::<$strategy>(job, plan)
                }
            }

    strategy::export!(Exported with_types_in $crate::bindings::strategy);
        };

        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Card = <$strategy as $crate::Strategy>::card;
    };
}

#[doc(hidden)]
pub fn describe_strategy<S: Strategy>(card: &host::requests::Card) {
    report_panics();
    S::card().write_to(card);
}

#[doc(hidden)]
pub fn decide<S: Strategy>(job: &host::requests::Job, plan: &host::plans::Plan) -> Result<(), host::types::Problem> {
    report_panics();
    Ok(S::decide(&Job::new(job, S::card().into_settings()), &Plan::new(plan))?)
}
