-- Loads the sprites that `assetgen batch --target love` has published.
--
--   local assetgen = require("assetgen")
--   local sprites = assetgen.load("assets/generated")
--   local dragon = sprites:random("dragon")
--   sprites:draw(dragon, 100, 60, 2)
--
-- A sprite is a table: name, type, score (0-1), image (love.Image), quad (love.Quad), width and
-- height in pixels as drawn, and left and top: where the quad lies in it (both 0 unless trimmed).

local assetgen = {}

local FORMAT = 1
local Sprites = {}
Sprites.__index = Sprites

local function read(path)
  local found, chunk, problem = pcall(love.filesystem.load, path) -- it throws syntax errors, and returns others
  if not (found and chunk) then
    error(("%s: %s. Run `assetgen batch --target love`."):format(path, found and problem or chunk), 3)
  end
  local document = chunk()
  if type(document) ~= "table" or document.format ~= FORMAT then
    error(("%s: not of format %d. Update this loader: `assetgen integrate love`."):format(path, FORMAT), 3)
  end
  return document
end

-- All sprites in a folder of generated ones. Unfiltered, since pixel art must not be blurred.
function assetgen.load(folder)
  local self = setmetatable({ by_type = {}, by_name = {}, labels = {} }, Sprites)
  local index = read(folder .. "/sprites.lua")
  self.labels = index.labels
  for _, path in ipairs(index.sheets) do
    local sheet = read(folder .. "/" .. path)
    local whole, image = pcall(love.graphics.newImage, folder .. "/" .. sheet.image)
    if not whole then
      error(("%s/%s: %s. Run `assetgen batch` again."):format(folder, sheet.image, image), 2)
    end
    local width, height = image:getDimensions()
    if width ~= sheet.width or height ~= sheet.height then
      error(("%s: is %dx%d, but its table says %dx%d. Run `assetgen batch` again."):format(
        sheet.image, width, height, sheet.width, sheet.height), 2)
    end
    image:setFilter("nearest", "nearest")
    for _, place in ipairs(sheet.sprites) do
      local sprite = {
        name = place.name,
        type = place.type,
        score = place.score,
        image = image,
        quad = love.graphics.newQuad(place.x, place.y, place.width, place.height, width, height),
        width = place.full_width or place.width,
        height = place.full_height or place.height,
        left = place.left or 0,
        top = place.top or 0,
      }
      self.by_name[sprite.name] = sprite
      self.by_type[sprite.type] = self.by_type[sprite.type] or {}
      table.insert(self.by_type[sprite.type], sprite)
    end
  end
  return self
end

-- The types, sorted.
function Sprites:types()
  local types = {}
  for kind in pairs(self.by_type) do
    table.insert(types, kind)
  end
  table.sort(types)
  return types
end

-- All sprites of a type, in the order of their slots.
function Sprites:all(kind)
  return self.by_type[kind] or error(("no sprites of type %q; there are: %s"):format(
    tostring(kind), table.concat(self:types(), ", ")), 2)
end

-- One sprite of a type, by chance; of any type where none is given.
function Sprites:random(kind)
  local types = self:types()
  local all = self:all(kind or types[love.math.random(#types)])
  return all[love.math.random(#all)]
end

-- The sprite of this name, or nil.
function Sprites:get(name)
  return self.by_name[name]
end

-- Draws a sprite with its upper left corner at x, y, enlarged `scale` times (1).
function Sprites:draw(sprite, x, y, scale)
  scale = scale or 1
  love.graphics.draw(sprite.image, sprite.quad, x + sprite.left * scale, y + sprite.top * scale, 0, scale, scale)
end

return assetgen
