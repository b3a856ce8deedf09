using System.Collections.Generic;
using System.Linq;
using System.Text.RegularExpressions;
using UnityEditor;
using UnityEngine;
#if UNITY_2021_2_OR_NEWER
using UnityEditor.U2D.Sprites;
#endif

namespace AssetGen.Editor
{
    /// <summary>
    /// Gives a texture the sprites of a list. What somebody has set of a sprite (pivot, border, outline) stays with its
    /// name, and so does its id; sprites whose names don't have our form are somebody's own, and stay, too.
    /// </summary>
    internal static class SheetCutter
    {
        private static readonly Regex Ours = new Regex("^[a-z0-9_]{1,64}_[0-9]{6}$");

#if UNITY_2021_2_OR_NEWER
        public static void Cut(TextureImporter importer, SheetList.Sheet sheet)
        {
            var factories = new SpriteDataProviderFactories();
            factories.Init();
            var provider = factories.GetSpriteEditorDataProviderFromObject(importer);
            provider.InitSpriteEditorDataProvider();
            var old = provider.GetSpriteRects();
            var rects = old.Where(rect => !Ours.IsMatch(rect.name)).ToList();
            var changed = rects.Count + sheet.sprites.Count != old.Length;
            foreach (var entry in sheet.sprites)
            {
                var rect = old.FirstOrDefault(candidate => candidate.name == entry.name);
                var place = new Rect(entry.x, entry.y, entry.width, entry.height);
                if (rect == null)
                {
                    rect = new SpriteRect
                    {
                        name = entry.name,
                        spriteID = new GUID(entry.spriteID),
                        alignment = SpriteAlignment.Custom,
                        pivot = new Vector2(entry.pivotX, entry.pivotY),
                    };
                    changed = true;
                }
                changed |= rect.rect != place;
                rect.rect = place;
                rects.Add(rect);
            }
            if (!changed)
            {
                return;
            }
            provider.SetSpriteRects(rects.ToArray());
            var ids = provider.GetDataProvider<ISpriteNameFileIdDataProvider>();
            ids.SetNameFileIdPairs(Pairs(ids.GetNameFileIdPairs(), rects));
            provider.Apply();
        }

        /// <summary>A pair for every sprite: the one that is there, since scenes refer to it, or a new one.</summary>
        private static IEnumerable<SpriteNameFileIdPair> Pairs(IEnumerable<SpriteNameFileIdPair> old, List<SpriteRect> rects)
        {
            var known = new Dictionary<string, SpriteNameFileIdPair>();
            foreach (var pair in old)
            {
                known[pair.name] = pair;
            }
            return rects.Select(rect => known.ContainsKey(rect.name)
                ? known[rect.name]
                : new SpriteNameFileIdPair(rect.name, rect.spriteID)).ToList();
        }
#else
        public static void Cut(TextureImporter importer, SheetList.Sheet sheet)
        {
            var old = importer.spritesheet;
            var sprites = old.Where(sprite => !Ours.IsMatch(sprite.name)).ToList();
            var changed = sprites.Count + sheet.sprites.Count != old.Length;
            foreach (var entry in sheet.sprites)
            {
                var found = old.Where(candidate => candidate.name == entry.name).Take(1).ToArray();
                var place = new Rect(entry.x, entry.y, entry.width, entry.height);
                var sprite = found.Length == 1 ? found[0] : new SpriteMetaData
                {
                    name = entry.name,
                    alignment = (int)SpriteAlignment.Custom,
                    pivot = new Vector2(entry.pivotX, entry.pivotY),
                };
                changed |= found.Length == 0 || sprite.rect != place;
                sprite.rect = place;
                sprites.Add(sprite);
            }
            if (changed)
            {
                importer.spritesheet = sprites.ToArray(); // Unity keeps the ids of names that it knows
            }
        }
#endif
    }
}
