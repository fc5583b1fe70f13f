//! Who containers and images run as, and who owns what is copied. Root is for steps whose image runs as root.
//!
//! Judged by what is written; a user that the command line names for the scripts of an image may run them there. A *name* may mean root inside an image, so beside numbers only the image's own name passes.

use sti_core::plan::{Action, Assemble, Base, Build, Copied, Instruction, Run, Step};
use sti_core::{Plan, Reference};

use super::{At, places};
use crate::denial::Denial;
use crate::grant::Grant;
use crate::named::Triggers;
use crate::quoting::shown;
use crate::rules::Root;

/// What is known of the users of an image, be it a base or one that the plan makes.
#[derive(Clone)]
pub(super) struct Standing {
    /// Who it runs as.
    user: String,
    /// The image at the bottom; `None` where there is none.
    image: Option<Reference>,
    /// Its user; `""` means root.
    pub(super) own: String,
    /// Whether root is in order, as far as images go.
    pub(super) is_roots: bool,
    /// Whether there is no image at the bottom.
    pub(super) is_from_nothing: bool,
}

impl Standing {
    fn stands_on(&self, image: &Reference) -> bool {
        self.image.as_ref().is_some_and(|own| own.canonical() == image.canonical())
    }
}

pub(super) fn judge(plan: &Plan, grant: &Grant) -> Result<(), Denial> {
    let mut made: Vec<Standing> = Vec::new();
    for (id, step) in plan.numbered() {
        let base = standing_of(plan, &step.base, &made);
        let at = At::step(grant, plan, id);
        places::judge(plan, step, &base, &at)?;
        let user = judge_step(step, &base, &at)?;
        made.push(Standing { user, ..base });
    }
    Ok(())
}

fn standing_of(plan: &Plan, base: &Base, made: &[Standing]) -> Standing {
    let of_scratch = || Standing {
        user: String::new(),
        image: None,
        own: String::new(),
        is_roots: plan.steps.iter().any(starts_as_root),
        is_from_nothing: true,
    };
    match base {
        Base::Image { reference, user, .. } => Standing {
            user: user.clone(),
            image: Some(reference.clone()),
            own: user.clone(),
            is_roots: is_root(user),
            is_from_nothing: false,
        },
        Base::Step { step } => made.get(step.0 as usize).cloned().unwrap_or_else(of_scratch),
        // Nothing says who an empty image runs as. Root gains nothing there that the plan does not have in another image already.
        Base::Scratch => of_scratch(),
    }
}

fn starts_as_root(step: &Step) -> bool {
    matches!(&step.base, Base::Image { user, .. } if is_root(user))
}

/// Judges a step, and tells who the image runs as that it makes.
fn judge_step(step: &Step, base: &Standing, at: &At<'_>) -> Result<String, Denial> {
    match &step.action {
        Action::Run(run) => judge_run(run, base, at)?,
        Action::Build(build) => return judge_build(build, base, at),
        Action::Assemble(assemble) => judge_assemble(assemble, base, at)?,
    }
    let Some(changes) = step.changes() else { return Ok(base.user.clone()) };
    let user = changes.user.as_ref().unwrap_or(&base.user);
    judge_user(Verb::Make, user, base, at)?;
    Ok(user.clone())
}

fn judge_run(run: &Run, base: &Standing, at: &At<'_>) -> Result<(), Denial> {
    judge_user(Verb::Run, run.user.as_ref().unwrap_or(&base.user), base, at)
}

fn judge_build(build: &Build, base: &Standing, at: &At<'_>) -> Result<String, Denial> {
    let after_triggers = judge_triggers(build, base, at)?;
    let mut user = after_triggers.as_ref().unwrap_or(&base.user);
    for instruction in &build.instructions {
        match instruction {
            Instruction::User { user: next } => {
                judge_user(Verb::Run, next, base, at)?;
                user = next;
            }
            Instruction::Run { .. } => judge_user(Verb::Run, user, base, at)?,
            Instruction::Copy(copied) => judge_owner(copied, base, at)?,
            Instruction::Environment(_) | Instruction::WorkingDirectory { .. } => {}
        }
    }
    let last = build.changes.user.as_ref().unwrap_or(user);
    judge_user(Verb::Make, last, base, at)?;
    Ok(last.clone())
}

/// What an image asks for is granted by who names the image and allows it, root included, unless a site says never. Tells who comes
/// after it.
fn judge_triggers(build: &Build, base: &Standing, at: &At<'_>) -> Result<Option<String>, Denial> {
    let Some(triggers) = &build.triggers else { return Ok(None) };
    let Some(first) = triggers.instructions.first() else { return Ok(None) };
    if at.grant.named.triggers == Triggers::Refused {
        let wish = format!("carry out the ONBUILD instructions of its image, such as `{}`", shown(first));
        let hint = "to allow it, add --allow-onbuild".to_owned();
        return Err(at.refuse_with(wish, "the command line does not allow them", hint));
    }
    if let Some(user) = triggers.users().find(|user| is_root(user) && at.grant.root() == Root::Never) {
        judge_user(Verb::Run, &user, base, at)?;
    }
    Ok(triggers.users().last())
}

fn judge_assemble(assemble: &Assemble, base: &Standing, at: &At<'_>) -> Result<(), Denial> {
    assemble.layers.iter().try_for_each(|layer| judge_owner(&layer.copied, base, at))
}

/// A set-id program that changes hands acts for its new owner: giving to root is root's own.
fn judge_owner(copied: &Copied, base: &Standing, at: &At<'_>) -> Result<(), Denial> {
    judge_user(Verb::Give, copied.owner.as_ref().unwrap_or(&base.user), base, at)
}

/// What is done with a user.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Run,
    Make,
    Give,
}

impl Verb {
    fn words(self) -> &'static str {
        match self {
            Self::Run => "run as",
            Self::Make => "make an image that runs as",
            Self::Give => "give files to",
        }
    }
}

fn judge_user(doing: Verb, user: &str, base: &Standing, at: &At<'_>) -> Result<(), Denial> {
    let verb = doing.words();
    let Some(who) = Who::parse(user) else {
        let wish = format!("{verb} `{}`", shown(user));
        return Err(at.refuse(wish, "a user is `name` or `uid`, or one of them with `:group` or `:gid` behind"));
    };
    if let Who::Number = who {
        return Ok(());
    }
    if at.grant.root() == Root::Never {
        return Err(refuse_by_file(verb, user, &who, at));
    }
    let is_images_own = matches!((&who, Who::parse(&base.own)), (Who::Name(name), Some(Who::Name(own))) if *name == own);
    // Whoever names a user for a script says nothing of the image that comes out.
    let may_be_named = doing != Verb::Make && !user.is_empty();
    let is_named = may_be_named && at.grant.named.users.iter().any(|(image, named)| named == user && base.stands_on(image));
    if base.is_roots || is_images_own || is_named {
        return Ok(());
    }
    Err(refuse_by_image(verb, user, &who, base, at))
}

fn refuse_by_file(verb: &str, user: &str, who: &Who<'_>, at: &At<'_>) -> Denial {
    let (wish, note) = match who {
        Who::Name(_) => (format!("{verb} `{}`", shown(user)), "no root, and a name may mean root inside an image"),
        _ => (format!("{verb} root"), "no root"),
    };
    at.refuse_with(wish, at.grant.by_the_file(note), at.grant.line_of_the_file("root", "true"))
}

fn refuse_by_image(verb: &str, user: &str, who: &Who<'_>, base: &Standing, at: &At<'_>) -> Denial {
    let owner = if base.own.is_empty() {
        "an empty image has no user".to_owned()
    } else {
        format!("the image's user is `{}`", shown(&base.own))
    };
    if let Who::Name(_) = who {
        let flag = flag_of(base, at);
        let hint = format!("where that is right, name it yourself: {flag} {}; or name it by number", shown(user));
        return at.refuse_with(format!("{verb} `{}`", shown(user)), format!("{owner}, and another name may mean root"), hint);
    }
    let hint =
        "where a script must be root, name it yourself: --assemble-user root; or use an image that runs as root".to_owned();
    at.refuse_with(format!("{verb} root"), format!("{owner}, and root is granted where the image runs as root"), hint)
}

/// The flag that names who the script of an image runs as: the runtime image is the second that the user names.
fn flag_of(base: &Standing, at: &At<'_>) -> &'static str {
    let is_runtime = at.grant.named.images.iter().skip(1).any(|image| base.stands_on(image));
    if is_runtime { "--assemble-runtime-user" } else { "--assemble-user" }
}

/// Tells whether a user as images write it is root.
fn is_root(user: &str) -> bool {
    matches!(Who::parse(user), Some(Who::Root))
}

/// What stands before the colon of a user.
enum Who<'a> {
    Root,
    Number,
    Name(&'a str),
}

impl<'a> Who<'a> {
    /// `None` where it is no user in any spelling. Group 0 is no root.
    fn parse(written: &'a str) -> Option<Self> {
        let (user, group) = written.split_once(':').unwrap_or((written, ""));
        if !group.is_empty() && !is_number(group) && !is_name(group) {
            return None;
        }
        match user {
            "" | "root" => Some(Self::Root),
            number if is_number(number) => {
                Some(if number.bytes().all(|digit| digit == b'0') { Self::Root } else { Self::Number })
            }
            name => is_name(name).then_some(Self::Name(name)),
        }
    }
}

/// The largest number that every engine takes is that of a signed word; beyond, some wrap around to 0.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<i32>().is_ok()
}

fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$'))
}
