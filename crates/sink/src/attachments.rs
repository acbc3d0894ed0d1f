//! Writes attachments to files while their message passes.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use wissel_mime::{AttachmentSink, Part, PartInfo};

use crate::SinkError;

/// The attachments of one message, in a directory that is made with the first of them.
#[derive(Debug)]
pub(crate) struct AttachmentFiles {
    /// Where they go; absent when they are not wanted.
    directory: Option<PathBuf>,
    open: Option<BufWriter<File>>,
    /// What was begun so far; the last one is open.
    written: Vec<PathBuf>,
    /// The inspector cannot pass an error on, so it waits here.
    error: Option<SinkError>,
}

impl AttachmentFiles {
    pub(crate) fn new(directory: Option<PathBuf>) -> Self {
        Self { directory, open: None, written: Vec::new(), error: None }
    }

    /// What went wrong since the last call.
    pub(crate) fn check(&mut self) -> Result<(), SinkError> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// The complete files.
    pub(crate) fn into_written(self) -> Vec<PathBuf> {
        self.written
    }

    fn create(&mut self, name: &str) -> Result<(), SinkError> {
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        if self.written.is_empty() {
            fs::create_dir(directory).map_err(SinkError::on("make the directory", directory))?;
        }
        let path = directory.join(name);
        let file = File::create_new(&path).map_err(SinkError::on("make", &path))?;
        self.open = Some(BufWriter::new(file));
        self.written.push(path);
        Ok(())
    }

    fn attempt(&mut self, work: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>) {
        if let Some(file) = &mut self.open
            && let Err(cause) = work(file)
        {
            self.open = None;
            let path = self.written.last().cloned().unwrap_or_default();
            self.error = Some(SinkError::new("write", &path, cause));
        }
    }
}

impl AttachmentSink for AttachmentFiles {
    fn begin(&mut self, part: &PartInfo) -> bool {
        let Some(name) = part.file_name.as_ref().filter(|_| self.directory.is_some() && self.error.is_none())
        else {
            return false;
        };
        self.error = self.create(name).err();
        self.error.is_none()
    }

    fn write(&mut self, octets: &[u8]) {
        self.attempt(|file| file.write_all(octets));
    }

    fn end(&mut self, _: &Part) {
        self.attempt(Write::flush);
        self.open = None;
    }
}
