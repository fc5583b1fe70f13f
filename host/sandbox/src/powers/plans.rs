//! The interface `plans`: each function writes one thing into the draft of the call.

use sti_bindings::{
    handles::{Assembly, Build, Content, Made, Plan, Run},
    host::sti::host::plans as wit,
};
use sti_core::plan::{
    Base, Content as Kind, ContentId, Copied, Instruction, Network, OnFailure, Place, Placement, PlanFile, StepId,
};
use wasmtime::component::Resource;

use super::{
    Budget, Draft, Matter, State,
    draft::{self, Stop, image_base},
    words::{network_from_wit, problem_to_wit},
};

type Answer<T> = wasmtime::Result<Result<T, wit::Problem>>;
type Done = wasmtime::Result<()>;

impl State {
    /// Writes something down and answers with a handle to it.
    fn write<T: Send + 'static>(
        &mut self,
        write: impl FnOnce(&mut Draft, &mut Budget) -> Result<T, Stop>,
    ) -> Answer<Resource<T>> {
        let (draft, budget, handles) = self.draft()?;
        match write(draft, budget) {
            Ok(written) => Ok(Ok(handles.push(written)?)),
            Err(stop) => answer(Err(stop)),
        }
    }

    /// Writes something down and answers whether that went well.
    fn try_set(&mut self, write: impl FnOnce(&mut Draft, &mut Budget) -> Result<(), Stop>) -> Answer<()> {
        let (draft, budget, _) = self.draft()?;
        answer(write(draft, budget))
    }

    /// Writes something down without an answer: what could not be written fails the plan when it is done.
    fn set(&mut self, write: impl FnOnce(&mut Draft, &mut Budget) -> Result<(), Stop>) -> Done {
        let (draft, budget, _) = self.draft()?;
        match write(draft, budget) {
            Err(Stop::Refused(problem)) => draft.refuse(problem),
            Err(Stop::Exceeded(exceeded)) => return Err(exceeded.into()),
            Ok(()) => {}
        }
        Ok(())
    }

    fn content_of(&self, content: &Resource<Content>) -> wasmtime::Result<ContentId> {
        Ok(ContentId(self.handles.get(content)?.0))
    }

    fn base_of(&self, base: &wit::Base) -> wasmtime::Result<Base> {
        Ok(match base {
            wit::Base::Image(image) => image_base(&self.image_of(image)?),
            wit::Base::Made(made) => Base::Step { step: StepId(self.handles.get(made)?.0) },
            wit::Base::Scratch => Base::Scratch,
        })
    }
}

fn answer<T>(written: Result<T, Stop>) -> Answer<T> {
    match written {
        Ok(written) => Ok(Ok(written)),
        Err(Stop::Refused(problem)) => Ok(Err(problem_to_wit(problem))),
        Err(Stop::Exceeded(exceeded)) => Err(exceeded.into()),
    }
}

/// A content of a kind that needs no check can always be written down, but for the budget.
fn always<T>(written: Answer<Resource<T>>) -> wasmtime::Result<Resource<T>> {
    written?.map_err(|problem| wasmtime::format_err!("{}", problem.message))
}

impl wit::Host for State {}

impl wit::HostContent for State {
    fn part(&mut self, content: Resource<Content>, path: String) -> Answer<Resource<Content>> {
        let of = self.content_of(&content)?;
        self.write(|draft, budget| Ok(Content(draft.content(Kind::Part { of, path }, budget)?.0)))
    }

    fn matching(&mut self, content: Resource<Content>, glob: String) -> Answer<Resource<Content>> {
        let of = self.content_of(&content)?;
        self.write(|draft, budget| Ok(Content(draft.matching(of, glob, budget)?.0)))
    }

    fn drop(&mut self, content: Resource<Content>) -> Done {
        self.handles.delete(content)?;
        Ok(())
    }
}

impl wit::HostPlan for State {
    fn source(&mut self, _: Resource<Plan>) -> wasmtime::Result<Resource<Content>> {
        always(self.write(|draft, budget| Ok(Content(draft.content(Kind::Source, budget)?.0))))
    }

    fn empty(&mut self, _: Resource<Plan>) -> wasmtime::Result<Resource<Content>> {
        always(self.write(|draft, budget| Ok(Content(draft.content(Kind::Empty, budget)?.0))))
    }

    fn files(&mut self, _: Resource<Plan>, files: Vec<wit::File>) -> Answer<Resource<Content>> {
        let files = files.into_iter().map(|file| PlanFile { path: file.path, mode: file.mode, bytes: file.bytes });
        self.write(|draft, budget| Ok(Content(draft.files(files.collect(), budget)?.0)))
    }

    fn cache(&mut self, _: Resource<Plan>, name: String) -> Answer<Resource<Content>> {
        self.write(|draft, budget| Ok(Content(draft.content(Kind::Cache { name }, budget)?.0)))
    }

    fn secret(&mut self, _: Resource<Plan>, name: String) -> Answer<Resource<Content>> {
        self.write(|draft, budget| Ok(Content(draft.content(Kind::Secret { name }, budget)?.0)))
    }

    fn run(&mut self, _: Resource<Plan>, title: String, on: wit::Base) -> Answer<Resource<Run>> {
        let base = self.base_of(&on)?;
        self.write(|draft, budget| Ok(Run(draft.run(&title, base, budget)?.0)))
    }

    fn build(&mut self, _: Resource<Plan>, title: String, on: wit::Base) -> Answer<Resource<Build>> {
        let base = self.base_of(&on)?;
        let triggers = match &on {
            wit::Base::Image(image) => self.image_of(image)?.triggers,
            wit::Base::Made(_) | wit::Base::Scratch => Vec::new(),
        };
        self.write(|draft, budget| Ok(Build(draft.build(&title, base, triggers, budget)?.0)))
    }

    fn assemble(&mut self, _: Resource<Plan>, title: String, on: wit::Base) -> Answer<Resource<Assembly>> {
        let base = self.base_of(&on)?;
        self.write(|draft, budget| Ok(Assembly(draft.assemble(&title, base, budget)?.0)))
    }

    fn product(&mut self, _: Resource<Plan>, name: String, image: Resource<Made>) -> Answer<()> {
        let step = StepId(self.handles.get(&image)?.0);
        match &mut self.matter {
            Matter::Job(job, draft) => answer(draft.product(&name, step, job, &mut self.budget)),
            _ => Err(wasmtime::format_err!("this call is about no plan")),
        }
    }

    fn drop(&mut self, plan: Resource<Plan>) -> Done {
        self.handles.delete(plan)?;
        Ok(())
    }
}

impl wit::HostRun for State {
    fn command(&mut self, run: Resource<Run>, arguments: Vec<String>) -> Done {
        let step = StepId(self.handles.get(&run)?.0);
        self.set(|draft, budget| {
            let command = draft::texts(arguments, budget)?;
            draft.in_run(step, |run| run.command = command);
            Ok(())
        })
    }

    fn environment(&mut self, run: Resource<Run>, name: String, value: String) -> Done {
        let step = StepId(self.handles.get(&run)?.0);
        self.set(|draft, budget| {
            let variable = draft::variable(name, value, budget)?;
            draft.in_run(step, |run| run.environment.push(variable));
            Ok(())
        })
    }

    fn user(&mut self, run: Resource<Run>, user: String) -> Done {
        let step = StepId(self.handles.get(&run)?.0);
        self.set(|draft, budget| {
            let user = draft::one_text(user, "a user", budget)?;
            draft.in_run(step, |run| run.user = Some(user));
            Ok(())
        })
    }

    fn working_directory(&mut self, run: Resource<Run>, path: String) -> Done {
        let step = StepId(self.handles.get(&run)?.0);
        self.set(|draft, budget| {
            let path = draft::path(path, budget)?;
            draft.in_run(step, |run| run.working_directory = Some(path));
            Ok(())
        })
    }

    fn network(&mut self, run: Resource<Run>, network: wit::Network) -> Done {
        let step = StepId(self.handles.get(&run)?.0);
        let network: Network = network_from_wit(network);
        self.set(|draft, _| {
            draft.in_run(step, |run| run.network = network);
            Ok(())
        })
    }

    fn transient(&mut self, run: Resource<Run>, path: String) -> Done {
        let step = StepId(self.handles.get(&run)?.0);
        self.set(|draft, budget| {
            let path = draft::path(path, budget)?;
            draft.in_run(step, |run| run.transient.push(path));
            Ok(())
        })
    }

    fn tolerate_failure(&mut self, run: Resource<Run>) -> Done {
        let step = StepId(self.handles.get(&run)?.0);
        self.set(|draft, _| {
            draft.in_run(step, |run| run.on_failure = OnFailure::GoOn);
            Ok(())
        })
    }

    fn labels_from(&mut self, run: Resource<Run>, path: String) -> Done {
        let step = StepId(self.handles.get(&run)?.0);
        self.set(|draft, budget| {
            let path = draft::path(path, budget)?;
            draft.in_run(step, |run| run.labels_from = Some(path));
            Ok(())
        })
    }

    fn place(&mut self, run: Resource<Run>, what: Resource<Content>, at: String, how: wit::Placement) -> Answer<()> {
        let (step, content) = (StepId(self.handles.get(&run)?.0), self.content_of(&what)?);
        let placement = match how {
            wit::Placement::Mounted => Placement::Mounted,
            wit::Placement::Copied => Placement::Copied,
        };
        self.try_set(|draft, budget| draft.place(step, Place { content, at, placement }, budget))
    }

    fn capture(&mut self, run: Resource<Run>, path: String) -> Answer<Resource<Content>> {
        let step = StepId(self.handles.get(&run)?.0);
        self.write(|draft, budget| Ok(Content(draft.content(Kind::Capture { step, path }, budget)?.0)))
    }

    fn capture_output(&mut self, run: Resource<Run>) -> wasmtime::Result<Resource<Content>> {
        let step = StepId(self.handles.get(&run)?.0);
        always(self.write(|draft, budget| Ok(Content(draft.content(Kind::Output { step }, budget)?.0))))
    }

    fn commit(&mut self, run: Resource<Run>) -> wasmtime::Result<Resource<Made>> {
        let step = StepId(self.handles.get(&run)?.0);
        let (draft, _, handles) = self.draft()?;
        draft.in_run(step, |run| {
            run.commit.get_or_insert_default();
        });
        Ok(handles.push(Made(step.0))?)
    }

    fn drop(&mut self, run: Resource<Run>) -> Done {
        self.handles.delete(run)?;
        Ok(())
    }
}

impl State {
    fn instruct(
        &mut self,
        build: &Resource<Build>,
        write: impl FnOnce(&mut Budget) -> Result<Instruction, Stop>,
    ) -> wasmtime::Result<()> {
        let step = StepId(self.handles.get(build)?.0);
        self.set(|draft, budget| {
            let instruction = write(budget)?;
            draft.in_build(step, |build| build.instructions.push(instruction));
            Ok(())
        })
    }

    fn change(
        &mut self,
        made: &Resource<Made>,
        write: impl FnOnce(&mut sti_core::plan::ImageChanges, &mut Budget) -> Result<(), Stop>,
    ) -> wasmtime::Result<()> {
        let step = StepId(self.handles.get(made)?.0);
        self.set(|draft, budget| match draft.changes_of(step) {
            Some(changes) => write(changes, budget),
            None => Ok(()),
        })
    }
}

impl wit::HostBuild for State {
    fn carry_out_triggers(&mut self, build: Resource<Build>, context: Resource<Content>) -> Answer<()> {
        let (step, context) = (StepId(self.handles.get(&build)?.0), self.content_of(&context)?);
        self.try_set(|draft, budget| draft.carry_out_triggers(step, context, budget))
    }

    fn copy(&mut self, build: Resource<Build>, what: Resource<Content>, at: String, owner: Option<String>) -> Answer<()> {
        let (step, content) = (StepId(self.handles.get(&build)?.0), self.content_of(&what)?);
        self.try_set(|draft, budget| draft.copy(step, Copied { content, at, owner }, budget))
    }

    fn run(&mut self, build: Resource<Build>, arguments: Vec<String>) -> Done {
        self.instruct(&build, |budget| Ok(Instruction::Run { command: draft::texts(arguments, budget)? }))
    }

    fn environment(&mut self, build: Resource<Build>, name: String, value: String) -> Done {
        self.instruct(&build, |budget| Ok(Instruction::Environment(draft::variable(name, value, budget)?)))
    }

    fn user(&mut self, build: Resource<Build>, user: String) -> Done {
        self.instruct(&build, |budget| Ok(Instruction::User { user: draft::one_text(user, "a user", budget)? }))
    }

    fn working_directory(&mut self, build: Resource<Build>, path: String) -> Done {
        self.instruct(&build, |budget| Ok(Instruction::WorkingDirectory { path: draft::path(path, budget)? }))
    }

    fn network(&mut self, build: Resource<Build>, network: wit::Network) -> Done {
        let step = StepId(self.handles.get(&build)?.0);
        let network = network_from_wit(network);
        self.set(|draft, _| {
            draft.in_build(step, |build| build.network = network);
            Ok(())
        })
    }

    fn finish(&mut self, build: Resource<Build>) -> wasmtime::Result<Resource<Made>> {
        let Build(step) = *self.handles.get(&build)?;
        Ok(self.handles.push(Made(step))?)
    }

    fn drop(&mut self, build: Resource<Build>) -> Done {
        self.handles.delete(build)?;
        Ok(())
    }
}

impl wit::HostAssembly for State {
    fn layer(
        &mut self,
        assembly: Resource<Assembly>,
        title: String,
        what: Resource<Content>,
        at: String,
        owner: Option<String>,
    ) -> Answer<()> {
        let (step, content) = (StepId(self.handles.get(&assembly)?.0), self.content_of(&what)?);
        self.try_set(|draft, budget| draft.layer(step, &title, Copied { content, at, owner }, budget))
    }

    fn finish(&mut self, assembly: Resource<Assembly>) -> wasmtime::Result<Resource<Made>> {
        let Assembly(step) = *self.handles.get(&assembly)?;
        Ok(self.handles.push(Made(step))?)
    }

    fn drop(&mut self, assembly: Resource<Assembly>) -> Done {
        self.handles.delete(assembly)?;
        Ok(())
    }
}

impl wit::HostMade for State {
    fn entrypoint(&mut self, made: Resource<Made>, arguments: Vec<String>) -> Done {
        self.change(&made, |changes, budget| {
            changes.entrypoint = Some(draft::texts(arguments, budget)?);
            Ok(())
        })
    }

    fn command(&mut self, made: Resource<Made>, arguments: Vec<String>) -> Done {
        self.change(&made, |changes, budget| {
            changes.command = Some(draft::texts(arguments, budget)?);
            Ok(())
        })
    }

    fn environment(&mut self, made: Resource<Made>, name: String, value: String) -> Done {
        self.change(&made, |changes, budget| {
            changes.environment.push(draft::variable(name, value, budget)?);
            Ok(())
        })
    }

    fn label(&mut self, made: Resource<Made>, name: String, value: String) -> Done {
        self.change(&made, |changes, budget| {
            changes.labels.push(draft::variable(name, value, budget)?);
            Ok(())
        })
    }

    fn user(&mut self, made: Resource<Made>, user: String) -> Done {
        self.change(&made, |changes, budget| {
            changes.user = Some(draft::one_text(user, "a user", budget)?);
            Ok(())
        })
    }

    fn working_directory(&mut self, made: Resource<Made>, path: String) -> Done {
        self.change(&made, |changes, budget| {
            changes.working_directory = Some(draft::path(path, budget)?);
            Ok(())
        })
    }

    fn expose(&mut self, made: Resource<Made>, port: String) -> Done {
        self.change(&made, |changes, budget| {
            changes.expose.push(draft::one_text(port, "a port", budget)?);
            Ok(())
        })
    }

    fn files_at(&mut self, made: Resource<Made>, path: String) -> Answer<Resource<Content>> {
        let step = StepId(self.handles.get(&made)?.0);
        self.write(|draft, budget| Ok(Content(draft.content(Kind::ImageFiles { step, path }, budget)?.0)))
    }

    fn drop(&mut self, made: Resource<Made>) -> Done {
        self.handles.delete(made)?;
        Ok(())
    }
}
