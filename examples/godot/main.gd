extends Node2D
## Press a key for a type: a random creature of it appears.
##
## The sprites are what `assetgen batch` has written: one SpriteFrames a type, whose frames are its
## creatures.

const GENERATED := "res://assets/generated"
const KEYS := "1234567890QWERTYUIOPASDFGHJKL"
const FIELD := Rect2i(4, 24, 632, 240)
const ZOOM := 2
const MOST := 100

@onready var _creatures: Node2D = $Creatures
@onready var _types: HFlowContainer = $Types
@onready var _caption: Label = $Caption


func _ready() -> void:
	if DirAccess.dir_exists_absolute(GENERATED):
		for type in DirAccess.get_directories_at(GENERATED):
			var path := "%s/%s/%s_frames.tres" % [GENERATED, type, type]
			if ResourceLoader.exists(path):
				_offer(type, load(path))
	if _types.get_child_count() == 0:
		_caption.text = "There are no sprites yet. Run `assetgen batch` in this folder."
	else:
		_caption.text = "Press a key, or click a type."


func _offer(type: String, frames: SpriteFrames) -> void:
	var button := Button.new()
	button.text = type
	button.add_theme_font_size_override("font_size", 11)
	button.focus_mode = Control.FOCUS_NONE
	button.pressed.connect(_spawn.bind(type, frames))
	var place := _types.get_child_count()
	if place < KEYS.length():
		var key := InputEventKey.new()
		key.keycode = OS.find_keycode_from_string(KEYS[place])
		button.shortcut = Shortcut.new()
		button.shortcut.events = [key]
		button.text = "%s %s" % [KEYS[place], type]
	_types.add_child(button)


func _spawn(type: String, frames: SpriteFrames) -> void:
	var creature := Sprite2D.new()
	creature.texture = frames.get_frame_texture(type, randi() % frames.get_frame_count(type))
	creature.centered = false
	creature.scale = Vector2.ONE * ZOOM
	var size := Vector2i(creature.texture.get_size()) * ZOOM
	var room := (FIELD.size - size).clamp(Vector2i.ONE, FIELD.size)
	creature.position = FIELD.position + Vector2i(randi() % room.x, randi() % room.y)
	_creatures.add_child(creature)
	if _creatures.get_child_count() > MOST:
		_creatures.get_child(0).queue_free()
	var score: float = creature.texture.get_meta("score")
	_caption.text = "%s (%s, score %.2f)" % [creature.texture.resource_name, type, score]
