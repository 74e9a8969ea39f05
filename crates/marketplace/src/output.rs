//! Files that are there whole or not at all.

use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::MarketplaceError;
use crate::table::{Table, Tables};

/// The files of a marketplace, under temporary names until [`Output::finish`].
pub(crate) struct Output {
    folder: PathBuf,
    files: Vec<(Table, BufWriter<File>)>,
}

impl Output {
    /// Starts a file for each of these tables in this folder, which is made if need be.
    pub(crate) fn create(
        folder: &Path,
        tables: impl Iterator<Item = Table>,
    ) -> Result<Self, MarketplaceError> {
        fs::create_dir_all(folder).map_err(|error| MarketplaceError::io(folder, error))?;
        let mut output = Self {
            folder: folder.to_owned(),
            files: Vec::new(),
        };
        for table in tables {
            let path = output.partial(table);
            let file = File::create(&path).map_err(|error| MarketplaceError::io(&path, error))?;
            output
                .files
                .push((table, BufWriter::with_capacity(1 << 18, file)));
            output.write(output.files.len() - 1, table.header())?;
        }
        Ok(output)
    }

    /// Appends rows to the files.
    pub(crate) fn append(&mut self, tables: &Tables) -> Result<(), MarketplaceError> {
        for place in 0..self.files.len() {
            let (table, _) = self.files[place];
            self.write(place, tables.of(table).text())?;
        }
        Ok(())
    }

    /// Gives the files their names. Files of tables that were not asked for, left from an earlier
    /// marketplace in this folder, are removed: they would not fit.
    pub(crate) fn finish(mut self) -> Result<(), MarketplaceError> {
        for place in 0..self.files.len() {
            let (table, file) = &mut self.files[place];
            let table = *table;
            file.flush()
                .and_then(|()| file.get_ref().sync_all())
                .map_err(|error| MarketplaceError::io(&self.partial(table), error))?;
        }
        for table in Table::ALL {
            let path = self.folder.join(table.file_name());
            let moved = if self.files.iter().any(|(written, _)| *written == table) {
                fs::rename(self.partial(table), &path)
            } else {
                fs::remove_file(&path).or_else(|error| {
                    (error.kind() == ErrorKind::NotFound)
                        .then_some(())
                        .ok_or(error)
                })
            };
            moved.map_err(|error| MarketplaceError::io(&path, error))?;
        }
        self.files.clear();
        Ok(())
    }

    fn partial(&self, table: Table) -> PathBuf {
        self.folder.join(format!("{}.partial", table.file_name()))
    }

    fn write(&mut self, place: usize, text: &str) -> Result<(), MarketplaceError> {
        let (table, file) = &mut self.files[place];
        let table = *table;
        file.write_all(text.as_bytes())
            .map_err(|error| MarketplaceError::io(&self.partial(table), error))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        for (table, _) in &self.files {
            // What cannot be removed here could not be written either, and that error is on its
            // way.
            _ = fs::remove_file(self.partial(*table));
        }
    }
}
