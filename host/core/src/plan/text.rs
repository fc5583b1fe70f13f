//! The plan for people: what `sti plan` shows. Numbers count from 1, and foreign words are quoted where they would mislead.

mod rows;
mod words;

use std::fmt::Write;

use self::words::{image_of, quoted};
use super::{Plan, Product, Step, StepId};

/// Where the second column of a step begins.
const LABEL_WIDTH: usize = 10;

impl Plan {
    /// Writes the plan as text: the steps in order, each with what it starts from, what it is given and what it leaves, then the products.
    pub fn to_text(&self) -> String {
        let digest = self.author.digest.strip_prefix("sha256:").unwrap_or(&self.author.digest);
        let mut text = format!("plan by {} ({})\n", quoted(&self.author.plugin), quoted(digest.get(..12).unwrap_or(digest)));
        for (id, step) in self.numbered() {
            self.write_step(&mut text, id, step);
        }
        let width = self.products.iter().map(|product| product.name.chars().count()).max().unwrap_or(0);
        text.push_str("\nproducts\n");
        for product in &self.products {
            write_product(&mut text, product, width);
        }
        text
    }

    fn write_step(&self, text: &mut String, id: StepId, step: &Step) {
        let _ = writeln!(text, "\n{:>3}  {}", id.0 + 1, quoted(&step.title));
        for (label, what) in rows::of_step(self, id, step) {
            let _ = writeln!(text, "       {label:<LABEL_WIDTH$}{what}");
        }
    }
}

fn write_product(text: &mut String, product: &Product, width: usize) {
    let _ = writeln!(text, "  {:<width$}  {}, {}", quoted(&product.name), product.tag, image_of(product.step));
}

#[cfg(test)]
mod tests {
    use crate::plan::samples;

    #[test]
    fn shows_every_kind_of_step_and_content() {
        insta::assert_snapshot!(samples::of_everything().to_text());
    }

    #[test]
    fn shows_an_extended_incremental_build() {
        insta::assert_snapshot!(samples::extended().to_text());
    }

    #[test]
    fn lets_no_control_sequence_through() {
        let mut plan = samples::extended();
        plan.author.plugin = "\u{1b}[2Jx".to_owned();
        plan.steps[0].title = "a\nb\u{202e}".to_owned();
        plan.products[0].name = "\r".to_owned();
        let text = plan.to_text();
        assert!(!text.contains(|character: char| character.is_control() && character != '\n'), "{text:?}");
        assert!(text.contains(r#""a\nb\u{202e}""#), "{text}");
    }
}
