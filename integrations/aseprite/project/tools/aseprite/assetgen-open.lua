-- Opens a sheet that `assetgen batch --target aseprite` has published: a frame for each sprite, a tag for each type.
-- The name of a sprite is the user data of its cel. Needs Aseprite 1.3.
--
-- In Aseprite: File > Scripts, after copying this file into File > Scripts > Open Scripts Folder. Without a window:
--   aseprite -b --script-param sheet=dragon/dragon.aseprite.json --script-param save=dragon.aseprite \
--     --script assetgen-open.lua

local function read(path)
  local file, reason = io.open(path, "rb")
  if not file then error(reason, 0) end
  local text = file:read("a")
  file:close()
  return text
end

--- What a <type>.aseprite.json says.
local function load_sheet(path)
  local decoded, sheet = pcall(json.decode, read(path))
  if not decoded or not sheet or not sheet.meta or not sheet.frames or #sheet.frames == 0 then
    error(path .. ": is no sheet of assetgen's. Choose a <type>.aseprite.json.", 0)
  end
  return sheet
end

--- A new sprite with the frames and tags of the sheet at `path`, in the colours of its picture, indexed ones too.
local function open_sheet(path)
  local sheet = load_sheet(path)
  local picture = app.fs.joinPath(app.fs.filePath(path), sheet.meta.image)
  if not app.fs.isFile(picture) then error(picture .. ": there is no such file. Run assetgen batch again.", 0) end
  local source = Image { fromFile = picture }
  if not source then error(picture .. ": is no picture that Aseprite can read. Run assetgen batch again.", 0) end

  local whole = sheet.frames[1].sourceSize
  local sprite = Sprite(ImageSpec {
    width = whole.w,
    height = whole.h,
    colorMode = source.colorMode,
    transparentColor = source.spec.transparentColor,
  })
  app.transaction(function()
    if source.colorMode == ColorMode.INDEXED then sprite:setPalette(Palette { fromFile = picture }) end
    local layer = sprite.layers[1]
    layer.name = sheet.meta.layers[1].name
    for number = 1, #sheet.frames do
      local entry = sheet.frames[number]
      local frame = number == 1 and sprite.frames[1] or sprite:newEmptyFrame(number)
      frame.duration = entry.duration / 1000
      local place, inside = entry.frame, entry.spriteSourceSize
      local image = Image(source, Rectangle(place.x, place.y, place.w, place.h))
      sprite:newCel(layer, frame, image, Point(inside.x, inside.y)).data = entry.name
    end
    for number = 1, #sheet.meta.frameTags do
      local entry = sheet.meta.frameTags[number]
      sprite:newTag(entry.from + 1, entry.to + 1).name = entry.name
    end
  end)
  return sprite
end

local function ask()
  local dialog = Dialog("assetgen")
  dialog:file { id = "sheet", label = "Sheet", title = "A <type>.aseprite.json", open = true, filetypes = { "json" } }
  dialog:button { id = "ok", text = "Open" }
  dialog:button { text = "Cancel" }
  dialog:show()
  return dialog.data.ok and dialog.data.sheet or ""
end

local path = app.params.sheet or ask()
if path ~= "" then
  local opened, sprite = pcall(open_sheet, path)
  if not opened then
    if not app.isUIAvailable then error("assetgen: " .. sprite, 0) end
    app.alert("assetgen: " .. sprite)
  elseif app.params.save then
    sprite:saveAs(app.params.save)
  end
end
