//! The signature field in the document's structure: PDF/A-3a and readers for the blind want every
//! field to be part of the tagged tree (ISO 32000-1 14.7.4.3, 14.8.4.5).

use lopdf::{Dictionary, Document, IncrementalDocument, Object, ObjectId};

/// Adds a `Form` element for `field` under the document element. A document without tags, or with
/// a tree of another shape than the typesetter's, is left as it is: Ok(None).
pub(super) fn tag_field(
    update: &mut IncrementalDocument,
    page: ObjectId,
    field: ObjectId,
) -> lopdf::Result<Option<i64>> {
    let Some(tree) = Tree::read(update.get_prev_documents()) else {
        return Ok(None);
    };
    let mut reference = Dictionary::new();
    reference.set("Type", Object::Name(b"OBJR".to_vec()));
    reference.set("Pg", page);
    reference.set("Obj", field);
    let mut element = Dictionary::new();
    element.set("Type", Object::Name(b"StructElem".to_vec()));
    element.set("S", Object::Name(b"Form".to_vec()));
    element.set("P", tree.document);
    element.set("Alt", lopdf::text_string("电子签名"));
    element.set("K", reference);
    let element = update.new_document.add_object(element);
    tree.write(update, element).map(Some)
}

/// The parts of the tree that a new element touches.
struct Tree {
    root: ObjectId,
    document: ObjectId,
    children: Vec<Object>,
    parents: Dictionary,
    parents_id: Option<ObjectId>,
    next_key: i64,
}

impl Tree {
    fn read(document: &Document) -> Option<Self> {
        let catalog = document.catalog().ok()?;
        let root = catalog.get(b"StructTreeRoot").ok()?.as_reference().ok()?;
        let tree = document.get_dictionary(root).ok()?;
        let top = match tree.get(b"K").ok()? {
            Object::Array(kids) => kids.first()?.as_reference().ok()?,
            other => other.as_reference().ok()?,
        };
        let children = match document.get_dictionary(top).ok()?.get_deref(b"K", document).ok()? {
            Object::Array(kids) => kids.clone(),
            other => vec![other.clone()],
        };
        let (parents_id, parents) = document.dereference(tree.get(b"ParentTree").ok()?).ok()?;
        let parents = parents.as_dict().ok()?.clone();
        // A tree with inner nodes would need its limits changed too; the typesetter writes none.
        parents.get_deref(b"Nums", document).ok()?.as_array().ok()?;
        Some(Self {
            root,
            document: top,
            children,
            parents,
            parents_id,
            next_key: tree.get(b"ParentTreeNextKey").ok()?.as_i64().ok()?,
        })
    }

    /// Returns the key that the field must carry as `StructParent`.
    fn write(mut self, update: &mut IncrementalDocument, element: ObjectId) -> lopdf::Result<i64> {
        let mut numbers =
            self.parents.get_deref(b"Nums", update.get_prev_documents()).and_then(Object::as_array)?.clone();
        numbers.extend([Object::Integer(self.next_key), element.into()]);
        self.parents.set("Nums", Object::Array(numbers));
        self.children.push(element.into());

        update.opt_clone_object_to_new_document(self.document)?;
        update.new_document.get_dictionary_mut(self.document)?.set("K", Object::Array(self.children));
        update.opt_clone_object_to_new_document(self.root)?;
        let root = update.new_document.get_dictionary_mut(self.root)?;
        root.set("ParentTreeNextKey", self.next_key + 1);
        match self.parents_id {
            Some(id) => {
                update.new_document.set_object(id, self.parents);
            }
            None => root.set("ParentTree", self.parents),
        }
        Ok(self.next_key)
    }
}
