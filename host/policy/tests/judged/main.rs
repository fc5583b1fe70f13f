//! Plans held against grants: by the command line alone, and narrowed by a policy file.

mod command_line;
mod explanations;
mod fetches;
mod lent;
mod narrowing;
mod offered;
mod places;
mod policy_file;
mod support;
mod trusted_file;
mod wild;
