-- Plays examples/love for a moment and takes a picture of its window: `love GAME play FRAMES FILE TYPE`.
require("game")

local load, update = love.load, love.update
local frames, file, wanted, frame = nil, nil, nil, 0

function love.load(arguments)
  frames, file, wanted = tonumber(arguments[1]), arguments[2], tonumber(arguments[3])
  love.math.setRandomSeed(7)
  load()
  for step = 1, wanted do
    for _ = 1, 4 do
      love.keypressed("space")
    end
    if step < wanted then
      love.keypressed("right")
    end
  end
end

function love.update()
  update(1 / 60)
  frame = frame + 1
  if frame == frames then
    love.graphics.captureScreenshot(function(image)
      local out = assert(io.open(file, "wb"))
      out:write(image:encode("png"):getString())
      out:close()
      love.event.quit()
    end)
  end
end
