//! `cargo xtask bench`.
use anyhow::{Result, bail};
pub(crate) fn run(_: &[&str]) -> Result<()> {
    bail!("soon")
}
