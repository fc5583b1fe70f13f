//! A line to `git daemon` or through ssh, in the two halves that the protocol wants.

use std::{
    cell::RefCell,
    io::{self, Read, Write},
    rc::Rc,
};

use gix_transport::{
    Protocol,
    client::{
        blocking_io::Transport,
        git::{ConnectMode, blocking_io::Connection},
    },
};
use sti_plugin::{Problem, repositories};

use crate::{
    location::{Line, Scheme},
    trouble::{Budget, Trouble},
};

/// Opens the line.
pub(crate) fn open(line: &Line, trouble: &Trouble, budget: &Budget) -> Result<Box<dyn Transport>, Problem> {
    let connection = Rc::new(RefCell::new(repositories::connect(&line.url)?));
    let unheard = Rc::default();
    let half = || Half {
        connection: Rc::clone(&connection),
        trouble: trouble.clone(),
        budget: budget.clone(),
        unheard: Rc::clone(&unheard),
    };
    let mode = match line.scheme {
        Scheme::Git => ConnectMode::Daemon,
        Scheme::Ssh => ConnectMode::Process,
    };
    let host = Some((line.host.clone(), line.port));
    Ok(Box::new(Connection::new(half(), half(), Protocol::V2, line.path.as_str(), host, mode, false)))
}

/// One direction of a line.
struct Half {
    connection: Rc<RefCell<repositories::Connection>>,
    trouble: Trouble,
    budget: Budget,
    /// Why something could not be written.
    unheard: Rc<RefCell<Option<io::Error>>>,
}

impl Half {
    /// The host's problem travels inside the error.
    fn keep(&self, error: io::Error) -> io::Error {
        match error.get_ref().and_then(|error| error.downcast_ref::<Problem>()) {
            Some(problem) => self.trouble.keep(problem.clone()),
            None => error,
        }
    }
}

impl Read for Half {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.connection.borrow_mut().read(buffer);
        let length = read.map_err(|error| self.keep(error))?;
        if length == 0
            && let Some(error) = self.unheard.borrow_mut().take()
        {
            return Err(self.keep(error));
        }
        self.budget.spend(length).map_err(|problem| self.trouble.keep(problem))?;
        Ok(length)
    }
}

impl Write for Half {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.connection.borrow_mut().write(bytes);
        match written {
            Ok(length) => Ok(length),
            Err(error) => {
                // Whoever listens no more has often said why: that is read first.
                self.unheard.borrow_mut().get_or_insert(error);
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
