@tool
extends VBoxContainer
## The dock: "Generate…" runs `assetgen batch` for this project; below, the sprites of a type.
##
## It uses nothing of the editor itself: the plugin tells it where the project and the program
## are, and which lists there are.

## New files are in the project.
signal generated

const Builder := preload("builder.gd")
const Command := preload("command.gd")
const PREVIEW := Vector2i(64, 64)
## Option of the program → what it's called, and what is so where the field stays empty.
const FIELDS := {
	"--count": ["Sprites", "500"],
	"--types": ["Types", "all, or a,b or a=40,b=10"],
	"--seed": ["Seed", "0"],
	"--scale": ["Scale", "1"],
}

## The project's folder on disk.
var project := ""
## Gives the name or path of the program.
var command := func() -> String: return "assetgen"

var _run: Command
var _began := 0
var _frames: Array[SpriteFrames] = []
var _generate := Button.new()
var _stop := Button.new()
var _bar := ProgressBar.new()
var _status := Label.new()
var _types := OptionButton.new()
var _wall := ItemList.new()
var _dialog := ConfirmationDialog.new()
var _question := ConfirmationDialog.new()
var _fields := {}


func _init() -> void:
	custom_minimum_size = Vector2(220, 240)
	var row := HBoxContainer.new()
	_generate.text = "Generate…"
	_generate.size_flags_horizontal = SIZE_EXPAND_FILL
	_generate.pressed.connect(_dialog.popup_centered)
	_stop.text = "Stop"
	_stop.hide()
	_stop.pressed.connect(func() -> void: _run.stop())
	row.add_child(_generate)
	row.add_child(_stop)
	_bar.hide()
	_status.autowrap_mode = TextServer.AUTOWRAP_WORD_SMART
	_types.tooltip_text = "Type"
	_types.item_selected.connect(_show_type)
	_wall.max_columns = 0
	_wall.same_column_width = true
	_wall.icon_mode = ItemList.ICON_MODE_TOP
	_wall.fixed_icon_size = PREVIEW
	_wall.texture_filter = CanvasItem.TEXTURE_FILTER_NEAREST
	_wall.size_flags_vertical = SIZE_EXPAND_FILL
	for child: Control in [row, _bar, _status, _types, _wall]:
		add_child(child)
	_add_dialogs()
	show_lists([])


## Not when it leaves the tree, which it does whenever a person moves the dock.
func _notification(what: int) -> void:
	if what == NOTIFICATION_PREDELETE and _run:
		_run.close()


func _process(_delta: float) -> void:
	if _run and _bar.indeterminate:
		_status.text = "Generating… %d s" % ((Time.get_ticks_msec() - _began) / 1000)


func _add_dialogs() -> void:
	_dialog.title = "Generate sprites"
	_dialog.ok_button_text = "Generate"
	_dialog.confirmed.connect(_ask_first)
	var grid := GridContainer.new()
	grid.columns = 2
	for option: String in FIELDS:
		var label := Label.new()
		label.text = FIELDS[option][0]
		grid.add_child(label)
		var field := LineEdit.new()
		field.placeholder_text = FIELDS[option][1]
		field.custom_minimum_size.x = 220
		_dialog.register_text_enter(field)
		grid.add_child(field)
		_fields[option] = field
	_dialog.add_child(grid)
	add_child(_dialog)
	_question.ok_button_text = "Replace"
	_question.dialog_autowrap = true
	_question.min_size.x = 360
	_question.confirmed.connect(func() -> void: _start(["--yes"], _finish))
	add_child(_question)


## What the program is called with. An empty field leaves the choice to `assetgen.toml`.
func arguments(more: PackedStringArray = []) -> PackedStringArray:
	var list := PackedStringArray(["batch", "--json", "--project", project])
	for option: String in _fields:
		var text: String = _fields[option].text.strip_edges()
		if text != "":
			list.append_array([option, text])
	return list + more


## A dry run tells whether published sprites would be replaced, which a person must agree to.
func _ask_first() -> void:
	_start(["--dry-run"], _answer)


func _answer(plan: Dictionary, err: String) -> void:
	if plan.needs_yes is String:
		_status.text = err
		_question.dialog_text = plan.needs_yes
		_question.popup_centered()
	else:
		_start([], _finish)


func _start(more: PackedStringArray, and_then: Callable) -> void:
	_run = Command.new()
	_run.progressed.connect(_progress)
	_run.ended.connect(_end.bind(and_then), CONNECT_DEFERRED)  # it lets go of the run
	_began = Time.get_ticks_msec()
	var program: String = command.call()
	if not _run.start(program, arguments(more)):
		_run = null
		_status.text = (
			"%s can't be started. Install it (`pipx install assetgen[cpu]`), " % program
			+ "or say where it is: Editor Settings, Assetgen, Command."
		)
		return
	_bar.indeterminate = true
	_bar.show()
	_stop.show()
	_generate.disabled = true


func _progress(what: String, done: int, total: int) -> void:
	_bar.indeterminate = false
	_bar.max_value = total
	_bar.value = done
	_status.text = "%s, %d of %d" % [what.capitalize(), done, total]


## With `--json` a program that has done its work prints one document; one that hasn't prints none.
func _end(out: String, err: String, and_then: Callable) -> void:
	var stopped := _run.stopped
	_run = null
	_bar.hide()
	_stop.hide()
	_generate.disabled = false
	var document: Variant = JSON.parse_string(out) if out.begins_with("{") else null
	if stopped:
		_status.text = "Stopped."
	elif document is Dictionary:
		and_then.call(document, err)
	else:
		_status.text = err if err != "" else "assetgen has ended without a word."


func _finish(done: Dictionary, err: String) -> void:
	var changes := [done.added, done.stay, done.out]
	_status.text = ("%d sprites added, %d as they were, in %s\n" % changes + err).strip_edges()
	generated.emit()


## Shows the types of these `.assetgen` lists, and keeps the type that is chosen.
func show_lists(lists: PackedStringArray) -> void:
	var chosen := _types.get_item_text(_types.selected) if _types.selected >= 0 else ""
	_types.clear()
	_frames.clear()
	for path in lists:
		var builder := Builder.new()
		var frames := builder.build(path)
		if frames == null:
			_status.text = builder.error
			continue
		for type in frames.get_animation_names():
			_types.add_item(type)
			_types.set_item_metadata(-1, _frames.size())
			_types.set_item_tooltip(-1, path)
			if type == chosen:
				_types.select(_types.item_count - 1)
		_frames.append(frames)
	_types.visible = _types.item_count > 0
	_show_type(_types.selected)


func _show_type(index: int) -> void:
	_wall.clear()
	if index < 0:
		return
	var frames := _frames[_types.get_item_metadata(index)]
	var type := _types.get_item_text(index)
	for frame in frames.get_frame_count(type):
		var sprite: AtlasTexture = frames.get_frame_texture(type, frame)
		var item := _wall.add_item("", sprite)
		_wall.set_item_tooltip(
			item, "%s\nscore %.2f" % [sprite.resource_name, sprite.get_meta(&"score")]
		)
