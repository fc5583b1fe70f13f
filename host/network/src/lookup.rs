//! Looks names up, and remembers what each led to at first: the host in the user's own address may be a server of the site's own, and so
//! reach far; a stranger's, which leads to the stranger first and into the site later, is none.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use sti_core::hosts::{Bound, Reach, Standing, not_public};

use crate::judge::Names;

/// The names of one fetch.
pub(crate) struct Lookup {
    names: Arc<dyn Names>,
    /// Whether all addresses of a name were public when it was first looked up.
    was_public: Mutex<HashMap<String, bool>>,
}

impl Lookup {
    pub(crate) fn new(names: Arc<dyn Names>) -> Self {
        Self { names, was_public: Mutex::default() }
    }

    /// All addresses of a name, and how far a connection to them may reach.
    pub(crate) async fn look_up(&self, host: &str, reach: &Reach) -> io::Result<(Vec<IpAddr>, Reach)> {
        let found = self.names.look_up(host).await?;
        let reach = self.steady(host, reach, &found);
        Ok((found, reach))
    }

    fn steady(&self, host: &str, reach: &Reach, found: &[IpAddr]) -> Reach {
        let is_public = |address: &IpAddr| not_public(*address).is_none();
        let mut was_public = self.was_public.lock().unwrap_or_else(PoisonError::into_inner);
        let was_public = *was_public.entry(host.to_owned()).or_insert_with(|| !found.is_empty() && found.iter().all(is_public));
        let bound = match (reach.standing, was_public) {
            (Standing::Address, true) => reach.steady.clone(),
            // A server of the site's own may be known by both; this machine, and what belongs to its links, is nobody's beside that.
            (Standing::Address, false) if found.iter().any(is_public) => Bound { private: true, ..reach.steady.clone() },
            _ => return reach.clone(),
        };
        Reach { bounds: reach.bounds.iter().cloned().chain([bound]).collect(), ..reach.clone() }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;

    /// Answers with the next row.
    struct Rows(Mutex<Vec<&'static [&'static str]>>);

    #[async_trait]
    impl Names for Rows {
        async fn look_up(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.lock().unwrap().remove(0).iter().map(|address| address.parse().unwrap()).collect())
        }
    }

    /// What may be reached of each row.
    fn check(reach: &Reach, rows: &[&'static [&'static str]], open: &[&[&str]]) {
        let lookup = Lookup::new(Arc::new(Rows(Mutex::new(rows.to_vec()))));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for (row, open) in rows.iter().zip(open) {
            let (found, reach) = runtime.block_on(lookup.look_up("a.test", reach)).unwrap();
            let left: Vec<_> =
                found.iter().filter(|address| reach.refuses(**address).is_none()).map(ToString::to_string).collect();
            assert_eq!(left, *open, "{row:?} of {rows:?}");
        }
    }

    #[test]
    fn the_users_own_host_does_not_become_this_machine() {
        let own = Reach::anywhere();
        check(&own, &[&["1.1.1.1"], &["127.0.0.1"], &["10.0.0.1"], &["1.0.0.1"]], &[&["1.1.1.1"], &[], &[], &["1.0.0.1"]]);
        check(&own, &[&["1.1.1.1", "127.0.0.1"]], &[&["1.1.1.1"]]);
        check(&own, &[&["1.1.1.1", "169.254.169.254", "10.0.0.1"]], &[&["1.1.1.1", "10.0.0.1"]]);
        check(&own, &[&["127.0.0.1"], &["127.0.0.1"]], &[&["127.0.0.1"], &["127.0.0.1"]]);
        check(&own, &[&["10.0.0.1"], &["10.0.0.2", "1.1.1.1"]], &[&["10.0.0.1"], &["10.0.0.2", "1.1.1.1"]]);
        let named = Bound { addresses: vec![sti_core::hosts::AddressRange::only([127, 0, 0, 1].into())], ..Bound::default() };
        check(&Reach { steady: named, ..own }, &[&["1.1.1.1"], &["127.0.0.1"]], &[&["1.1.1.1"], &["127.0.0.1"]]);
    }
}
