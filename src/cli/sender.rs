//! The daemon's own thread for mail that rules send: no client waits for another server.

use super::queue_run;
use crate::config::Config;
use crate::directory::{SqliteDirectory, SqliteOutbox};
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::Builder;

/// Deliveries whose mails are not tried yet. Those of more wait in the queue for `sealpost queue run`, as all do that are not sent at
/// once.
const MOST: usize = 1024;

/// Hands mails to that thread. It ends with the process, whatever it is about: what it has not sent stands in the queue.
pub(super) struct Sender(SyncSender<Vec<String>>);

impl Sender {
    /// Starts the thread.
    pub(super) fn start(config: &Config, directory: &Arc<SqliteDirectory>) -> io::Result<Sender> {
        let (told, heard) = sync_channel::<Vec<String>>(MOST);
        let (config, directory) = (config.clone(), Arc::clone(directory));
        let send = move || heard.iter().for_each(|ids| queue_run::send_released(&config, &directory, &ids));
        Builder::new().name("sender".into()).spawn(send)?;
        Ok(Sender(told))
    }

    /// What deliveries have released is tried once, without waiting for it.
    pub(super) fn send(&self, outbox: &SqliteOutbox<'_>) {
        let released = outbox.take_released();
        if !released.is_empty() && self.0.try_send(released).is_err() {
            tracing::warn!("mail waits in the queue: too many are to be sent");
        }
    }
}
