using System;
using System.Collections.Generic;
using UnityEngine;

namespace AssetGen
{
    /// <summary>
    /// All generated sprites by type. The editor script builds it whenever sheets are imported, in a folder
    /// "Resources", so that a game finds it by code alone and a build holds all sprites that it may ask for.
    /// </summary>
    public sealed class SpriteCatalogue : ScriptableObject
    {
        /// <summary>The asset's name, for <see cref="Load"/>.</summary>
        public const string AssetName = "AssetGenSprites";

        /// <summary>A generated sprite.</summary>
        [Serializable]
        public struct Entry
        {
            /// <summary>dragon_000017: never renumbered.</summary>
            public string name;
            public Sprite sprite;
            /// <summary>How sure the classifier is that it is of its type, 0 to 1.</summary>
            public float score;
        }

        /// <summary>All sprites of a type.</summary>
        [Serializable]
        public sealed class Group
        {
            public string type;
            /// <summary>The type as its artist wrote it.</summary>
            public string label;
            public List<Entry> entries = new List<Entry>();
        }

        [SerializeField] private List<Group> groups = new List<Group>();

        /// <summary>The types and their sprites, in the order of their names.</summary>
        public IReadOnlyList<Group> Groups
        {
            get { return groups; }
        }

        /// <summary>For the editor script that builds the catalogue.</summary>
        public void Replace(List<Group> found)
        {
            groups = found;
        }

        /// <summary>The project's catalogue; null until sprites have been generated and imported.</summary>
        public static SpriteCatalogue Load()
        {
            return Resources.Load<SpriteCatalogue>(AssetName);
        }

        /// <summary>The sprites of a type, in the order of their slots; none of an unknown type.</summary>
        public IReadOnlyList<Entry> OfType(string type)
        {
            var group = groups.Find(candidate => candidate.type == type);
            return group == null ? (IReadOnlyList<Entry>)new Entry[0] : group.entries;
        }

        /// <summary>A sprite of a type, by chance; null of an unknown type.</summary>
        public Sprite Random(string type)
        {
            var entries = OfType(type);
            return entries.Count == 0 ? null : entries[UnityEngine.Random.Range(0, entries.Count)].sprite;
        }

        /// <summary>The sprite of this name, dragon_000017; null where there is none.</summary>
        public Sprite Find(string spriteName)
        {
            foreach (var group in groups)
            {
                var place = group.entries.FindIndex(entry => entry.name == spriteName);
                if (place >= 0)
                {
                    return group.entries[place].sprite;
                }
            }
            return null;
        }
    }
}
