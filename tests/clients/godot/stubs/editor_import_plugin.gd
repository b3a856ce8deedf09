class_name EditorImportPlugin
extends RefCounted
## What the add-on uses of the editor's class of this name, which a runtime doesn't have.

const IMPORT_ORDER_DEFAULT := 0
