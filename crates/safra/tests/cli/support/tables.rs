//! What the tables of a lake hold.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::row::{RowConverter, SortField};
use safra_lake::{Folder, Lake, Snapshot};

use super::Home;

/// The number of rows of a table and a sum of what is in them, whatever their order.
pub type Content = (usize, u64);

impl Home {
    /// The lake in this working directory.
    pub fn lake(&self) -> Lake {
        Lake::new(self.path("lake"))
    }

    /// All rows of a table that must be there.
    pub fn rows(&self, folder: Folder, name: &str) -> RecordBatch {
        let snapshot = self.snapshot(folder, name);
        concat_batches(&snapshot.schema(), &snapshot.read(None).unwrap()).unwrap()
    }

    /// What the tables of some folders hold; when predictions were made is left out.
    pub fn contents(&self, folders: &[Folder]) -> BTreeMap<String, Content> {
        let mut contents = BTreeMap::new();
        for &folder in folders {
            for name in self.lake().table_names(folder).unwrap() {
                let mut rows = self.rows(folder, &name);
                if let Ok(index) = rows.schema_ref().index_of("scored_at") {
                    rows.remove_column(index);
                }
                contents.insert(format!("{}/{name}", folder.name()), content(&rows));
            }
        }
        contents
    }

    /// The present state of a table that must be there.
    pub fn snapshot(&self, folder: Folder, name: &str) -> Snapshot {
        let table = self.lake().table(folder, name);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(table.snapshot()).unwrap().unwrap()
    }
}

fn content(rows: &RecordBatch) -> Content {
    (
        rows.num_rows(),
        hashes(rows).into_iter().fold(0, u64::wrapping_add),
    )
}

/// A number for each row, which is the same for the same values.
pub fn hashes(rows: &RecordBatch) -> Vec<u64> {
    let fields = rows.columns().iter();
    let fields = fields.map(|column| SortField::new(column.data_type().clone()));
    let converter = RowConverter::new(fields.collect()).unwrap();
    let converted = converter.convert_columns(rows.columns()).unwrap();
    let hash = |row: arrow::row::Row<'_>| {
        let mut hasher = DefaultHasher::new();
        row.data().hash(&mut hasher);
        hasher.finish()
    };
    converted.iter().map(hash).collect()
}
