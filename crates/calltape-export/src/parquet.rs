//! Parquet, written from record batches with the low-level writer: the crate's own Arrow writer brings arrow-ipc and
//! flatbuffers with it, for types no column here has.
//!
//! A row group is held until it is full, because Parquet keeps a group column by column; so memory is a group's, whatever
//! the number of calls. What has been written of a file is of no use until its footer stands.

use std::io::Write;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampNanosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field};
use bytes::Bytes;
use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use crate::ExportError;
use crate::batches::{batch, schema};
use crate::output::{Counted, Writer};
use crate::source::Row;

/// Calls in a row group: what readers skip and parallelise by.
const GROUP_ROWS: usize = 128 * 1024;

/// Bytes of values in a row group, before they are encoded.
const GROUP_BYTES: usize = 32 << 20;

/// Writes calls as a Parquet file.
pub(crate) struct Parquet<'a> {
    out: Counted<'a>,
    encoded: Sink,
    file: SerializedFileWriter<Sink>,
    group: Vec<RecordBatch>,
    group_rows: usize,
    group_bytes: usize,
}

/// Takes what the file writer writes, which wants a stream of its own, until it is passed on.
#[derive(Debug, Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn take(&self) -> Vec<u8> {
        mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl From<ParquetError> for ExportError {
    fn from(error: ParquetError) -> Self {
        Self::Encode(error.to_string())
    }
}

impl<'a> Parquet<'a> {
    /// A file on `out`.
    pub(crate) fn new(out: Counted<'a>) -> Result<Self, ExportError> {
        let encoded = Sink::default();
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("calltape version ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let file = SerializedFileWriter::new(encoded.clone(), message()?, Arc::new(properties))?;
        Ok(Self { out, encoded, file, group: Vec::new(), group_rows: 0, group_bytes: 0 })
    }

    fn write_group(&mut self) -> Result<(), ExportError> {
        if self.group.is_empty() {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        let mut position = 0;
        while let Some(mut column) = group.next_column()? {
            for batch in &self.group {
                write_column(column.untyped(), batch.column(position).as_ref())?;
            }
            column.close()?;
            position += 1;
        }
        group.close()?;
        self.group.clear();
        (self.group_rows, self.group_bytes) = (0, 0);
        self.pass_on()
    }

    fn pass_on(&mut self) -> Result<(), ExportError> {
        self.file.flush().map_err(|error| ExportError::Encode(error.to_string()))?;
        Ok(self.out.write_all(&self.encoded.take())?)
    }
}

impl Writer for Parquet<'_> {
    fn write(&mut self, rows: &[Row]) -> Result<(), ExportError> {
        if rows.is_empty() {
            return Ok(());
        }
        let batch = batch(rows)?;
        self.group_rows += batch.num_rows();
        self.group_bytes += batch.get_array_memory_size();
        self.group.push(batch);
        if self.group_rows >= GROUP_ROWS || self.group_bytes >= GROUP_BYTES { self.write_group() } else { Ok(()) }
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        self.write_group()?;
        self.file.finish()?;
        self.pass_on()
    }
}

/// The file's schema: [`schema`] in Parquet's terms.
fn message() -> Result<TypePtr, ExportError> {
    let fields = schema().fields().iter().map(|field| primitive(field)).collect::<Result<_, _>>()?;
    Ok(Arc::new(Type::group_type_builder("calls").with_fields(fields).build()?))
}

fn primitive(field: &Field) -> Result<TypePtr, ExportError> {
    let repetition = if field.is_nullable() { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let (physical, logical) = match field.data_type() {
        DataType::Int64 => (Physical::INT64, None),
        DataType::Float64 => (Physical::DOUBLE, None),
        DataType::Utf8 => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        DataType::Timestamp(..) => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
        other => return Err(ExportError::Encode(format!("{} is of the type {other}", field.name()))),
    };
    let builder = Type::primitive_type_builder(field.name(), physical).with_repetition(repetition);
    Ok(Arc::new(builder.with_logical_type(logical).build()?))
}

fn write_column(column: &mut ColumnWriter<'_>, array: &dyn Array) -> Result<(), ExportError> {
    let levels: Vec<i16> = (0..array.len()).map(|row| i16::from(array.is_valid(row))).collect();
    match column {
        ColumnWriter::Int64ColumnWriter(writer) => {
            let values: Vec<i64> = match array.data_type() {
                DataType::Int64 => array.as_primitive::<Int64Type>().iter().flatten().collect(),
                _ => array.as_primitive::<TimestampNanosecondType>().iter().flatten().collect(),
            };
            writer.write_batch(&values, Some(&levels), None)?;
        }
        ColumnWriter::DoubleColumnWriter(writer) => {
            let values: Vec<f64> = array.as_primitive::<Float64Type>().iter().flatten().collect();
            writer.write_batch(&values, Some(&levels), None)?;
        }
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            writer.write_batch(&texts(array), Some(&levels), None)?;
        }
        _ => return Err(ExportError::Encode(format!("a column of the type {}", array.data_type()))),
    }
    Ok(())
}

/// The texts there are, each a part of the batch's own bytes.
fn texts(array: &dyn Array) -> Vec<ByteArray> {
    let array = array.as_string::<i32>();
    let bytes = Bytes::from_owner(array.values().clone());
    let part = |row: usize| {
        let offsets = array.value_offsets();
        let offset = |at: usize| usize::try_from(offsets[at]).unwrap_or(0);
        ByteArray::from(bytes.slice(offset(row)..offset(row + 1)))
    };
    (0..array.len()).filter(|row| array.is_valid(*row)).map(part).collect()
}
