<?xml version="1.0" encoding="UTF-8"?>
<tileset version="1.10" tiledversion="1.10.0" name="orb_collection" tilewidth="8" tileheight="8" tilecount="2" columns="0">
 <grid orientation="orthogonal" width="1" height="1"/>
 <tile id="0" type="orb" x="2" y="2" width="5" height="6">
  <properties>
   <property name="name" value="orb_000000"/>
   <property name="score" type="float" value="0.5000"/>
   <property name="slot" type="int" value="0"/>
  </properties>
  <image source="orb.png" width="19" height="12"/>
 </tile>
 <tile id="1" type="orb" x="9" y="2" width="8" height="8">
  <properties>
   <property name="name" value="orb_000001"/>
   <property name="score" type="float" value="0.5625"/>
   <property name="slot" type="int" value="1"/>
  </properties>
  <image source="orb.png" width="19" height="12"/>
 </tile>
</tileset>
