//! The interface `requests`, but for the card and the address: what a plugin is asked, and where a validator writes what it found.

use sti_bindings::{
    handles::{Findings, Image, Job, Step, Subject, Tree},
    host::sti::host::{requests as wit, types},
};
use sti_core::{
    Finding, Incremental, Problem, ProblemKind, Severity,
    plan::{Action, Base, Instruction, Network},
};
use wasmtime::component::Resource;

use super::{
    Matter, State,
    words::{network_to_wit, problem_to_wit, value_of, variables_to_wit},
};
use crate::{Moment, calls::Exceeded, hygiene};

pub(super) type Said<T> = wasmtime::Result<T>;

const MESSAGE: usize = 2_000;
/// How many scripts one call may ask for, questions about images included.
const MOST_SCRIPTS: usize = 2_000;

impl wit::Host for State {}

impl wit::HostJob for State {
    fn strategy(&mut self, _: Resource<Job>) -> Said<String> {
        Ok(self.job_of_call()?.strategy.clone())
    }

    fn source(&mut self, _: Resource<Job>) -> Said<Resource<Tree>> {
        Ok(self.handles.push(Tree)?)
    }

    fn source_fact(&mut self, _: Resource<Job>, name: String) -> Said<Option<String>> {
        Ok(value_of(&self.job_of_call()?.source_facts, &name))
    }

    fn builder_image(&mut self, _: Resource<Job>) -> Said<String> {
        Ok(self.job_of_call()?.builder_image.written().to_owned())
    }

    fn runtime_image(&mut self, _: Resource<Job>) -> Said<Option<String>> {
        Ok(self.job_of_call()?.runtime_image.as_ref().map(|image| image.written().to_owned()))
    }

    fn tag(&mut self, _: Resource<Job>) -> Said<String> {
        Ok(self.job_of_call()?.tag.written().to_owned())
    }

    fn clean(&mut self, _: Resource<Job>) -> Said<bool> {
        Ok(self.job_of_call()?.clean)
    }

    fn network(&mut self, _: Resource<Job>) -> Said<types::Network> {
        Ok(network_to_wit(self.job_of_call()?.network))
    }

    fn previous_image(&mut self, _: Resource<Job>, product: String) -> Said<Option<String>> {
        let job = self.job_of_call()?;
        let tag = if job.clean { None } else { job.tag_of(&product).ok() };
        Ok(tag.map(|tag| tag.written().to_owned()))
    }

    fn incremental(&mut self, _: Resource<Job>) -> Said<wit::Incremental> {
        Ok(match self.job_of_call()?.wishes.incremental {
            Incremental::AsUsual => wit::Incremental::AsUsual,
            Incremental::Wanted => wit::Incremental::Wanted,
            Incremental::Required => wit::Incremental::Required,
        })
    }

    fn scripts_url(&mut self, _: Resource<Job>) -> Said<Option<String>> {
        Ok(self.job_of_call()?.wishes.scripts_url.clone())
    }

    async fn script(&mut self, _: Resource<Job>, name: String) -> Said<Result<Option<Vec<u8>>, types::Problem>> {
        self.asked = self.asked.saturating_add(1);
        if self.asked > MOST_SCRIPTS {
            return Err(Exceeded::number("it asks for too many scripts", MOST_SCRIPTS).into());
        }
        let refused = |kind, code: &str, message: &str| Ok(Err(problem_to_wit(Problem::new(kind, code, message))));
        if !hygiene::is_kebab(&name) {
            return refused(ProblemKind::Invalid, "invalid-name", "names of scripts are in kebab-case");
        }
        let Some(scripts) = self.scripts.clone() else {
            return refused(ProblemKind::Denied, "not-granted", "the user names no address of scripts outside of an image");
        };
        let _paused = self.clock.pause();
        Ok(scripts.script(&name).await.map_err(problem_to_wit))
    }

    fn destination(&mut self, _: Resource<Job>) -> Said<Option<String>> {
        Ok(self.job_of_call()?.wishes.destination.clone())
    }

    fn assemble_user(&mut self, _: Resource<Job>) -> Said<Option<String>> {
        Ok(self.job_of_call()?.wishes.assemble_user.clone())
    }

    fn assemble_runtime_user(&mut self, _: Resource<Job>) -> Said<Option<String>> {
        Ok(self.job_of_call()?.wishes.assemble_runtime_user.clone())
    }

    fn runtime_artifacts(&mut self, _: Resource<Job>) -> Said<Vec<String>> {
        Ok(self.job_of_call()?.wishes.runtime_artifacts.clone())
    }

    fn allows_triggers(&mut self, _: Resource<Job>) -> Said<bool> {
        Ok(self.job_of_call()?.allows_triggers)
    }

    fn contract(&mut self, _: Resource<Job>) -> Said<Option<String>> {
        Ok(self.job_of_call()?.contract.clone())
    }

    fn environment(&mut self, _: Resource<Job>) -> Said<Vec<types::Variable>> {
        Ok(variables_to_wit(&self.job_of_call()?.environment))
    }

    fn build_environment(&mut self, _: Resource<Job>) -> Said<Vec<types::Variable>> {
        Ok(variables_to_wit(&self.job_of_call()?.build_environment))
    }

    fn secrets(&mut self, _: Resource<Job>) -> Said<Vec<String>> {
        Ok(self.job_of_call()?.secrets.clone())
    }

    fn injected(&mut self, _: Resource<Job>) -> Said<Vec<types::Variable>> {
        Ok(variables_to_wit(&self.job_of_call()?.injected))
    }

    fn setting(&mut self, _: Resource<Job>, name: String) -> Said<Option<String>> {
        Ok(value_of(&self.job_of_call()?.settings, &name))
    }

    fn platform(&mut self, _: Resource<Job>) -> Said<String> {
        Ok(self.job_of_call()?.platform.clone())
    }

    fn drop(&mut self, job: Resource<Job>) -> Said<()> {
        self.handles.delete(job)?;
        Ok(())
    }
}

impl wit::HostSubject for State {
    fn moment(&mut self, _: Resource<Subject>) -> Said<wit::Moment> {
        Ok(match self.subject_of_call()?.moment {
            Moment::Image => wit::Moment::Image,
            Moment::Source => wit::Moment::Source,
            Moment::Plan => wit::Moment::Plan,
            Moment::Product => wit::Moment::Product,
        })
    }

    fn role(&mut self, _: Resource<Subject>) -> Said<String> {
        Ok(self.subject_of_call()?.role.clone())
    }

    fn image(&mut self, _: Resource<Subject>) -> Said<Option<Resource<Image>>> {
        match self.subject_of_call()?.image.clone() {
            Some(facts) => Ok(Some(self.hand_out(facts)?)),
            None => Ok(None),
        }
    }

    fn source(&mut self, _: Resource<Subject>) -> Said<Option<Resource<Tree>>> {
        match self.subject_of_call()?.source {
            Some(_) => Ok(Some(self.handles.push(Tree)?)),
            None => Ok(None),
        }
    }

    fn steps(&mut self, _: Resource<Subject>) -> Said<Vec<Resource<Step>>> {
        let steps = self.subject_of_call()?.plan.as_ref().map_or(0, |plan| plan.steps.len());
        (0..steps).map(|place| Ok(self.handles.push(Step(place))?)).collect()
    }

    fn incremental(&mut self, _: Resource<Subject>) -> Said<bool> {
        Ok(self.subject_of_call()?.incremental)
    }

    fn extended(&mut self, _: Resource<Subject>) -> Said<bool> {
        Ok(self.subject_of_call()?.extended)
    }

    fn contract(&mut self, _: Resource<Subject>) -> Said<Option<String>> {
        Ok(self.subject_of_call()?.contract.clone())
    }

    fn setting(&mut self, _: Resource<Subject>, name: String) -> Said<Option<String>> {
        Ok(value_of(&self.subject_of_call()?.settings, &name))
    }

    fn drop(&mut self, subject: Resource<Subject>) -> Said<()> {
        self.handles.delete(subject)?;
        Ok(())
    }
}

impl State {
    fn step_of(&self, step: &Resource<Step>) -> Said<&sti_core::plan::Step> {
        let Step(place) = *self.handles.get(step)?;
        let steps = self.subject_of_call()?.plan.as_ref().map(|plan| &plan.steps);
        steps.and_then(|steps| steps.get(place)).ok_or_else(|| wasmtime::format_err!("a handle leads to no step"))
    }
}

impl wit::HostStep for State {
    fn title(&mut self, step: Resource<Step>) -> Said<String> {
        Ok(self.step_of(&step)?.title.clone())
    }

    fn kind(&mut self, step: Resource<Step>) -> Said<String> {
        let kind = match self.step_of(&step)?.action {
            Action::Run(_) => "run",
            Action::Build(_) => "build",
            Action::Assemble(_) => "assemble",
        };
        Ok(kind.to_owned())
    }

    fn image(&mut self, step: Resource<Step>) -> Said<Option<String>> {
        Ok(match &self.step_of(&step)?.base {
            Base::Image { reference, .. } => Some(reference.written().to_owned()),
            Base::Step { .. } | Base::Scratch => None,
        })
    }

    fn commands(&mut self, step: Resource<Step>) -> Said<Vec<Vec<String>>> {
        Ok(match &self.step_of(&step)?.action {
            Action::Run(run) => vec![run.command.clone()],
            Action::Build(build) => build.instructions.iter().filter_map(command_of).collect(),
            Action::Assemble(_) => Vec::new(),
        })
    }

    fn user(&mut self, step: Resource<Step>) -> Said<Option<String>> {
        Ok(match &self.step_of(&step)?.action {
            Action::Run(run) => run.user.clone(),
            Action::Build(build) => build.instructions.iter().rev().find_map(user_of),
            Action::Assemble(_) => None,
        })
    }

    fn network(&mut self, step: Resource<Step>) -> Said<types::Network> {
        Ok(network_to_wit(match &self.step_of(&step)?.action {
            Action::Run(run) => run.network,
            Action::Build(build) => build.network,
            Action::Assemble(_) => Network::None,
        }))
    }

    fn drop(&mut self, step: Resource<Step>) -> Said<()> {
        self.handles.delete(step)?;
        Ok(())
    }
}

fn command_of(instruction: &Instruction) -> Option<Vec<String>> {
    match instruction {
        Instruction::Run { command } => Some(command.clone()),
        _ => None,
    }
}

fn user_of(instruction: &Instruction) -> Option<String> {
    match instruction {
        Instruction::User { user } => Some(user.clone()),
        _ => None,
    }
}

impl wit::HostFindings for State {
    fn add(
        &mut self,
        _: Resource<Findings>,
        severity: wit::Severity,
        code: String,
        message: String,
        hint: Option<String>,
    ) -> Said<()> {
        self.budget.spend_one(code.len() + message.len() + hint.as_ref().map_or(0, String::len))?;
        let severity = match severity {
            wit::Severity::Note => Severity::Note,
            wit::Severity::Warning => Severity::Warning,
            wit::Severity::Failure => Severity::Failure,
        };
        let code = if hygiene::is_kebab(&code) { code } else { "finding".to_owned() };
        let message = hygiene::line(&message, MESSAGE);
        let hint = hint.map(|hint| hygiene::lines(&hint, MESSAGE));
        match &mut self.matter {
            Matter::Subject(_, findings) => findings.push(Finding { severity, code, message, hint }),
            _ => return Err(wasmtime::format_err!("this call is about no subject")),
        }
        Ok(())
    }

    fn drop(&mut self, findings: Resource<Findings>) -> Said<()> {
        self.handles.delete(findings)?;
        Ok(())
    }
}
