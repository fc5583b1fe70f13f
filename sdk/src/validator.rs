//! Validators: what there is to say of an image, a source, a plan or a product.

use crate::{Card, Findings, Problem, Subject, host, panic::report_panics};

/// Judges a subject and writes down everything it finds. Registered by [`register_validator!`](crate::register_validator).
///
/// ```
/// use sti_plugin::{Card, Finding, Findings, Moment, Problem, Subject, Validator, register_validator};
///
/// struct NoRoot;
///
/// impl Validator for NoRoot {
///     fn card() -> Card {
///         Card::new("no-root", "0.1.0").summary("warns of images that run as root").judges(Moment::Image)
///     }
///
///     fn validate(subject: &Subject, findings: &Findings) -> Result<(), Problem> {
///         let Some(image) = subject.image() else { return Ok(()) };
///         if image.runs_as()?.uid == 0 {
///             findings.add(Finding::warning("runs-as-root", format!("`{}` runs as root", image.reference())));
///         }
///         Ok(())
///     }
/// }
///
/// register_validator!(NoRoot);
///
/// use sti_plugin::testing::{FakeImage, SubjectBuilder};
/// let verdict = SubjectBuilder::image("builder", FakeImage::new("builder")).validate::<NoRoot>();
/// assert_eq!(verdict.codes(), ["runs-as-root"]);
/// ```
pub trait Validator {
    /// Introduces the plugin, and says by [`Card::judges`] when it wants to be asked. Asked without any grant, before everything else.
    fn card() -> Card;

    /// Writes down everything it finds, not just the first. An error means that it could not judge, which stops the build as well.
    fn validate(subject: &Subject, findings: &Findings) -> Result<(), Problem>;
}

/// Makes a component of a crate: exports a type as its validator. Write it once, at the top of `lib.rs`; see [`Validator`] for an example.
#[macro_export]
macro_rules! register_validator {
    ($validator:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            use $crate::bindings::{host, validator};

            struct Exported;

            impl validator::exports::sti::plugin::validator::Guest for Exported {
                fn describe(card: &host::requests::Card) {
                    $crate::exports::describe_validator::<$validator>(card);
                }

                fn validate(
                    subject: &host::requests::Subject,
                    findings: &host::requests::Findings,
                ) -> Result<(), host::types::Problem> {
                    $crate::exports::validate::<$validator>(subject, findings)
                }
            }

    validator::export!(Exported with_types_in $crate::bindings::validator);
        };

        #[cfg(not(target_family = "wasm"))]
        const _: fn() -> $crate::Card = <$validator as $crate::Validator>::card;
    };
}

#[doc(hidden)]
pub fn describe_validator<V: Validator>(card: &host::requests::Card) {
    report_panics();
    V::card().write_to(card);
}

#[doc(hidden)]
pub fn validate<V: Validator>(
    subject: &host::requests::Subject,
    findings: &host::requests::Findings,
) -> Result<(), host::types::Problem> {
    report_panics();
    Ok(V::validate(&Subject::new(subject, V::card().into_settings()), &Findings::new(findings))?)
}
