//! The interfaces `http` and `repositories`, passed on to whoever judges and answers. The time of an answer is the host's.

use std::sync::Arc;

use sti_bindings::{
    handles::{Blob as BlobHandle, Connection, Response},
    host::sti::host::{http, repositories, types},
};
use sti_core::{Problem, ProblemKind, Variable};
use wasmtime::component::Resource;

use super::{State, requests::Said, words::problem_to_wit};
use crate::{
    calls::Exceeded,
    web::{Answer, Line, Web, WebRequest},
};

type Asked<T> = wasmtime::Result<Result<T, types::Problem>>;

/// The most that is read at once.
const MOST_BYTES: u32 = 1 << 20;
/// How many answers and lines one call may hold open.
const MOST_OPEN: usize = 64;
/// How many requests one call may send.
const MOST_REQUESTS: usize = 10_000;

impl State {
    /// Whom to ask. The time of an answer is not the guest's, so the number of requests is limited instead.
    fn web(&mut self) -> Asked<Arc<dyn Web>> {
        self.asked = self.asked.saturating_add(1);
        if self.asked > MOST_REQUESTS {
            return Err(Exceeded::number("it sends too many requests", MOST_REQUESTS).into());
        }
        if self.answers.len() + self.lines.len() >= MOST_OPEN {
            return Err(Exceeded::number("it holds too many answers of servers", MOST_OPEN).into());
        }
        let refused = || Problem::new(ProblemKind::Denied, "not-granted", "this address grants no network");
        Ok(self.web.clone().ok_or_else(|| problem_to_wit(refused())))
    }

    fn answer(&mut self, response: &Resource<Response>) -> Said<&mut Box<dyn Answer>> {
        let Response(number) = *self.handles.get(response)?;
        self.answers.get_mut(&number).ok_or_else(|| wasmtime::format_err!("a handle leads to no answer"))
    }

    /// The line, and the clock that stands still while it is used.
    fn line(&mut self, connection: &Resource<Connection>) -> Said<&mut Box<dyn Line>> {
        let Connection(number) = *self.handles.get(connection)?;
        self.lines.get_mut(&number).ok_or_else(|| wasmtime::format_err!("a handle leads to no connection"))
    }
}

impl http::Host for State {
    async fn send(&mut self, request: http::Request) -> Asked<Resource<Response>> {
        let web = match self.web()? {
            Ok(web) => web,
            Err(problem) => return Ok(Err(problem)),
        };
        let headers = request.headers.into_iter().map(|header| Variable::new(header.name, header.value)).collect();
        let request = WebRequest { method: request.method, url: request.url, headers, body: request.body };
        let sent = {
            let _paused = self.clock.pause();
            web.send(request).await
        };
        match sent {
            Ok(answer) => {
                self.opened += 1;
                self.answers.insert(self.opened, answer);
                Ok(Ok(self.handles.push(Response(self.opened))?))
            }
            Err(problem) => Ok(Err(problem_to_wit(problem))),
        }
    }

    async fn download(&mut self, url: String) -> Asked<Resource<BlobHandle>> {
        let web = match self.web()? {
            Ok(web) => web,
            Err(problem) => return Ok(Err(problem)),
        };
        let downloaded = {
            let _paused = self.clock.pause();
            web.download(&url).await
        };
        match downloaded {
            Ok(blob) => Ok(Ok(self.hold_blob(blob)?)),
            Err(problem) => Ok(Err(problem_to_wit(problem))),
        }
    }
}

impl http::HostResponse for State {
    fn status(&mut self, response: Resource<Response>) -> Said<u16> {
        Ok(self.answer(&response)?.status())
    }

    fn url(&mut self, response: Resource<Response>) -> Said<String> {
        Ok(self.answer(&response)?.url())
    }

    fn header(&mut self, response: Resource<Response>, name: String) -> Said<Option<String>> {
        Ok(self.answer(&response)?.header(&name))
    }

    async fn read(&mut self, response: Resource<Response>, limit: u32) -> Asked<Vec<u8>> {
        let _paused = self.clock.pause();
        let read = self.answer(&response)?.read(limit.min(MOST_BYTES) as usize).await;
        Ok(read.map_err(problem_to_wit))
    }

    fn drop(&mut self, response: Resource<Response>) -> Said<()> {
        let Response(number) = self.handles.delete(response)?;
        self.answers.remove(&number);
        Ok(())
    }
}

impl repositories::Host for State {
    async fn connect(&mut self, address: String) -> Asked<Resource<Connection>> {
        let web = match self.web()? {
            Ok(web) => web,
            Err(problem) => return Ok(Err(problem)),
        };
        let connected = {
            let _paused = self.clock.pause();
            web.connect(&address).await
        };
        match connected {
            Ok(line) => {
                self.opened += 1;
                self.lines.insert(self.opened, line);
                Ok(Ok(self.handles.push(Connection(self.opened))?))
            }
            Err(problem) => Ok(Err(problem_to_wit(problem))),
        }
    }
}

impl repositories::HostConnection for State {
    async fn read(&mut self, connection: Resource<Connection>, limit: u32) -> Asked<Vec<u8>> {
        let _paused = self.clock.pause();
        let read = self.line(&connection)?.read(limit.min(MOST_BYTES) as usize).await;
        Ok(read.map_err(problem_to_wit))
    }

    async fn write(&mut self, connection: Resource<Connection>, bytes: Vec<u8>) -> Asked<()> {
        let _paused = self.clock.pause();
        let written = self.line(&connection)?.write(&bytes).await;
        Ok(written.map_err(problem_to_wit))
    }

    async fn finish(&mut self, connection: Resource<Connection>) -> Asked<()> {
        let _paused = self.clock.pause();
        let finished = self.line(&connection)?.finish().await;
        Ok(finished.map_err(problem_to_wit))
    }

    fn drop(&mut self, connection: Resource<Connection>) -> Said<()> {
        let Connection(number) = self.handles.delete(connection)?;
        self.lines.remove(&number);
        Ok(())
    }
}
