return {
  format = 1,
  image = "orb/orb.png",
  width = 19, height = 12,
  sprites = {
    { name = "orb_000000", type = "orb", x = 2, y = 2, width = 5, height = 6, score = 0.5000, left = 1, top = 2, full_width = 8, full_height = 8 },
    { name = "orb_000001", type = "orb", x = 9, y = 2, width = 8, height = 8, score = 0.5625 },
  },
}
