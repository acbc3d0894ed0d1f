//! The file of a backup: a tar archive with the database, then a manifest, then the manifest's digest.
//!
//! The database comes first, so that one pass writes it and its digest. The vault's key stands in the manifest, wrapped
//! by a passphrase and bound to the database's digest; the file alone opens no secret. What is not in it: the imported
//! messages, the quarantined ones, and the connectors themselves (their digests are).

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use wissel_vault::WrappedKey;

use crate::problem::Problem;

/// The form of the archive.
const FORMAT: u32 = 1;
const DATABASE: &str = "wissel.db";
const MANIFEST: &str = "manifest.json";
const SEAL: &str = "manifest.sha256";
/// No manifest is longer: the list of connectors is the only part that grows.
const LONGEST_MANIFEST: u64 = 16 << 20;

/// What the archive says about itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u32,
    /// When the copy was taken.
    pub(crate) made: Timestamp,
    /// The version of Wissel that took it.
    pub(crate) version: String,
    pub(crate) database: Content,
    /// None when the key is kept apart from the backup.
    pub(crate) key: Option<KeyEntry>,
    pub(crate) accounts: usize,
    pub(crate) jobs: usize,
    pub(crate) connectors: Vec<Connector>,
}

/// The database in the archive.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Content {
    pub(crate) octets: u64,
    pub(crate) sha256: String,
}

/// A connector that was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Connector {
    pub(crate) file: String,
    pub(crate) sha256: String,
}

/// The vault's key, wrapped.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct KeyEntry {
    pub(crate) id: String,
    argon2id_memory_kib: u32,
    argon2id_passes: u32,
    argon2id_lanes: u32,
    salt: String,
    sealed: String,
}

impl KeyEntry {
    pub(crate) fn new(id: String, wrapped: &WrappedKey) -> Self {
        Self {
            id,
            argon2id_memory_kib: wrapped.memory_kib,
            argon2id_passes: wrapped.passes,
            argon2id_lanes: wrapped.lanes,
            salt: hex::encode(&wrapped.salt),
            sealed: hex::encode(&wrapped.sealed),
        }
    }

    pub(crate) fn wrapped(&self) -> WrappedKey {
        WrappedKey {
            memory_kib: self.argon2id_memory_kib,
            passes: self.argon2id_passes,
            lanes: self.argon2id_lanes,
            salt: hex::decode(&self.salt).unwrap_or_default(),
            sealed: hex::decode(&self.sealed).unwrap_or_default(),
        }
    }
}

/// What the wrapped key is bound to.
pub(crate) fn bound(database: &Content) -> Vec<u8> {
    format!("wissel backup {FORMAT}, database {}", database.sha256).into_bytes()
}

/// The connectors in a directory, by name of file.
pub(crate) fn connectors(directory: &Path) -> io::Result<Vec<Connector>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm")
            && let Some(name) = path.file_name()
        {
            let file = name.to_string_lossy().into_owned();
            found.push(Connector { file, sha256: hex::encode(Sha256::digest(fs::read(&path)?)) });
        }
    }
    found.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(found)
}

/// Passes octets on, digests them and says how many there were.
struct Digesting<'a, T> {
    inner: T,
    digest: Sha256,
    passed: u64,
    progress: &'a dyn Fn(u64),
}

impl<'a, T> Digesting<'a, T> {
    fn new(inner: T, progress: &'a dyn Fn(u64)) -> Self {
        Self { inner, digest: Sha256::new(), passed: 0, progress }
    }

    fn content(self) -> Content {
        Content { octets: self.passed, sha256: hex::encode(self.digest.finalize()) }
    }
}

impl<T: Read> Read for Digesting<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digest.update(buffer.get(..count).unwrap_or_default());
        self.passed += count as u64;
        (self.progress)(self.passed);
        Ok(count)
    }
}

/// Writes an archive: the database, and then the manifest that `manifest` makes of its digest.
pub(crate) fn write<W: Write>(
    to: W,
    database: &Path,
    progress: &dyn Fn(u64),
    manifest: impl FnOnce(Content) -> anyhow::Result<Manifest>,
) -> anyhow::Result<(W, Manifest)> {
    let mut archive = tar::Builder::new(to);
    let file = File::open(database)?;
    let octets = file.metadata()?.len();
    let mut reader = Digesting::new(file, progress);
    archive.append_data(&mut header(octets), DATABASE, &mut reader)?;
    let manifest = manifest(reader.content())?;
    let text = serde_json::to_vec_pretty(&manifest)?;
    archive.append_data(&mut header(text.len() as u64), MANIFEST, text.as_slice())?;
    let seal = hex::encode(Sha256::digest(&text));
    archive.append_data(&mut header(seal.len() as u64), SEAL, seal.as_bytes())?;
    Ok((archive.into_inner()?, manifest))
}

fn header(octets: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(octets);
    header.set_mode(0o600);
    header
}

/// Reads an archive whole, checks every digest, and writes the database into `database`, a new file.
pub(crate) fn read(from: &Path, database: &Path, progress: &dyn Fn(u64)) -> anyhow::Result<Manifest> {
    let file = File::open(from).map_err(|error| {
        Problem::not_found(
            format!("the backup {} cannot be read: {error}", from.display()),
            "Name another file.",
        )
    })?;
    let damaged = |what: &str| {
        Problem::failed(
            format!("the backup {} is damaged or is none: {what}", from.display()),
            "Use another copy or another backup; nothing was changed.",
        )
    };
    // The words of the archive's library repeat what stands in the file, which may be anybody's.
    let broken = |error: io::Error| match error.raw_os_error() {
        Some(_) => damaged(&error.to_string()),
        None => damaged("it has not the form of a Wissel backup"),
    };
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 20, file));
    let (mut content, mut text, mut seal) = (None, Vec::new(), String::new());
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let name = entry.path().map_err(broken)?.to_string_lossy().into_owned();
        // Each name once and in order, and octets as they stand: a sparse entry of a few octets could fill the disk.
        if !entry.header().entry_type().is_file() {
            return Err(damaged("it holds something else than plain files").into());
        }
        match name.as_str() {
            DATABASE if content.is_none() && text.is_empty() => {
                let mut reader = Digesting::new(&mut entry, progress);
                let mut to = fs::OpenOptions::new().write(true).open(database)?;
                let mut buffer = vec![0; 1 << 20];
                loop {
                    let count = reader.read(&mut buffer).map_err(broken)?;
                    if count == 0 {
                        break;
                    }
                    to.write_all(buffer.get(..count).unwrap_or_default())?;
                }
                content = Some(reader.content());
            }
            MANIFEST if text.is_empty() && seal.is_empty() => {
                entry.take(LONGEST_MANIFEST).read_to_end(&mut text).map_err(broken)?;
            }
            SEAL if seal.is_empty() => {
                entry.take(128).read_to_string(&mut seal).map_err(broken)?;
            }
            _ => return Err(damaged("it holds something that does not belong into a Wissel backup").into()),
        }
    }
    if seal.is_empty() {
        return Err(damaged("its end is missing").into());
    }
    if hex::encode(Sha256::digest(&text)) != seal {
        return Err(damaged("its manifest was changed").into());
    }
    #[derive(Deserialize)]
    struct Form {
        format: u32,
    }
    let form: Form = serde_json::from_slice(&text).map_err(|_| damaged("its manifest cannot be read"))?;
    if form.format > FORMAT {
        return Err(Problem::failed(
            format!("the backup {} was made by a newer version of Wissel", from.display()),
            "Install that version, or use an older backup.",
        )
        .into());
    }
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|_| damaged("its manifest cannot be read"))?;
    let content = content.ok_or_else(|| damaged("it holds no database"))?;
    if content.sha256 != manifest.database.sha256 {
        return Err(damaged("its database was changed").into());
    }
    Ok(manifest)
}

impl Manifest {
    /// The present form, made now.
    pub(crate) fn new(database: Content, key: Option<KeyEntry>, made: Timestamp) -> Self {
        Self {
            format: FORMAT,
            made,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            database,
            key,
            accounts: 0,
            jobs: 0,
            connectors: Vec::new(),
        }
    }
}
